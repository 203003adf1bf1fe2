import { lookup as dnsLookup } from 'node:dns'
import { request } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'

/** Everything of IPv4 that is not somebody's public address (IANA's special-purpose registry). */
const special = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(network, bits, 'ipv4')
}
/** Of IPv6, global unicast is public, but for what leads back to IPv4 or is for documentation. */
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(network, bits, 'ipv6')
}

export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special.check(address, 'ipv4')
  return family === 6 && globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** The document is small, and whoever waits for it is a person at a page. */
const TIMEOUT_MS = 5000

export type ResolveName = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly { address: string; family: number }[]) => void,
) => void

const resolveByDns: ResolveName = (hostname, callback) =>
  dnsLookup(hostname, { all: true }, (error, addresses) => callback(error, addresses ?? []))

/**
 * `fetch` for addresses that strangers name: GET over HTTPS, to public addresses only, no redirects, no cookies, five seconds.
 * The name is resolved once and the connection goes to an address that was looked at, so that a name that leads elsewhere
 * the next moment leads nowhere. Rejects with an Error that says no more than that.
 */
export function createPublicFetch(
  resolve: ResolveName = resolveByDns,
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  const lookup: LookupFunction = (hostname, { all }, callback) =>
    resolve(hostname, (error, addresses) => {
      const refused =
        error ??
        (addresses.length > 0 && addresses.every(({ address }) => isPublicAddress(address)) ? null : notPublic())
      const [first] = addresses
      if (refused !== null || first === undefined) callback(refused ?? notPublic(), [])
      else if (all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })

  return (input, init = {}) =>
    new Promise((resolveResponse, reject) => {
      const url = new URL(input)
      const literal = url.hostname.replace(/^\[|\]$/g, '')
      if (url.protocol !== 'https:' || (isIP(literal) !== 0 && !isPublicAddress(literal))) {
        reject(notPublic())
        return
      }
      const timeout = AbortSignal.timeout(TIMEOUT_MS)
      const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
      const headers = Object.fromEntries(new Headers(init.headers))
      const outgoing = request(url, { method: 'GET', headers, lookup, signal, agent: false }, (incoming) => {
        const status = incoming.statusCode ?? 0
        if (status < 200 || status > 599 || (status >= 300 && status < 400)) {
          incoming.destroy()
          reject(new Error('The address redirects, or answers what is no answer'))
          return
        }
        const body =
          status === 204 || status === 304
            ? null
            : (Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>)
        const received = Object.entries(incoming.headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, String(value)] as [string, string]],
        )
        resolveResponse(new Response(body, { status, headers: received }))
      })
      outgoing.once('error', (cause) => reject(new Error('The address cannot be reached', { cause })))
      outgoing.end()
    })
}

const notPublic = (): Error => new Error('The address is not a public one of HTTPS')
