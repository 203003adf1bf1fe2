/** Peers that are this machine, as sockets write them. */
const ownAddresses = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** Whether a peer is this machine. */
export const isOwnAddress = (peer: string): boolean => ownAddresses.has(peer)

/**
 * Whose request it is on the network. That is the socket's peer. Where the operator has said that a proxy on this machine
 * stands before us, and the request comes from there, it is the last entry of `X-Forwarded-For`: the one that the proxy
 * has added. Those before it are the client's own text.
 */
export function peerAddress(peer: string, forwardedFor: string | null, behindProxy: boolean): string {
  if (!behindProxy || !isOwnAddress(peer)) return peer
  const last = forwardedFor?.split(',').at(-1)?.trim() ?? ''
  return /^[0-9a-fA-F:.]{2,45}$/.test(last) ? last : peer
}

/** How many of the eight groups of an IPv6 address are the network's: whoever has one address has the whole /64. */
const NETWORK_GROUPS = 4

/**
 * By what limits on strangers count an address: IPv4 by itself, IPv6 by its /64, of which one machine may use every address
 * in turn. What is no IPv6 address is taken as it is.
 */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    const missing = Math.max(0, 8 - groups.length - after.length)
    groups.push(...Array.from({ length: missing }, () => '0'), ...after)
  }
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}
