import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { join } from 'node:path'
import { readFileIfAny, writePrivateFile } from './private-files.ts'

/** Files that a TLS listener and its clients need. */
export interface ServerCertificate {
  readonly certificateFile: string
  readonly keyFile: string
  /** What clients must trust; undefined where they trust its issuer anyway. */
  readonly authorityFile: string | undefined
}

const AUTHORITY_DAYS = 3650
/** A new one is made at each start of the server. */
const SERVER_DAYS = 825
const DAY_MS = 24 * 60 * 60_000

/**
 * A certificate for these names and addresses, by an authority of our own that is made at the first start and stays, so
 * that clients which know it go on. Its key signs nothing but this and never leaves the folder. Throws where the
 * authority's files are damaged.
 */
export function makeServerCertificate(folder: string, names: readonly string[]): ServerCertificate {
  const authorityFile = join(folder, 'authority.pem')
  const authority = readAuthority(folder, authorityFile) ?? makeAuthority(folder, authorityFile)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificateFile = join(folder, 'server.pem')
  const keyFile = join(folder, 'server-key.pem')
  writePrivateFile(keyFile, toPem(privateKey))
  const extensions = [extension('551d11', sequence(...names.map(subjectName)))]
  const certificate = makeCertificate('Millwright NATS', publicKey, SERVER_DAYS, extensions, authority)
  writePrivateFile(certificateFile, certificate)
  return { certificateFile, keyFile, authorityFile }
}

const AUTHORITY_NAME = 'Millwright NATS authority'

function readAuthority(folder: string, file: string): KeyObject | undefined {
  const certificate = readFileIfAny(file)
  const key = readFileIfAny(join(folder, 'authority-key.pem'))
  if (certificate === undefined || key === undefined) return undefined
  const authority = createPrivateKey(key)
  if (!new X509Certificate(certificate).checkPrivateKey(authority)) {
    throw new Error(`Cannot use ${file}: its key is another one; remove both and enroll the machines again`)
  }
  return authority
}

function makeAuthority(folder: string, file: string): KeyObject {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writePrivateFile(join(folder, 'authority-key.pem'), toPem(privateKey))
  // It is an authority, whose key signs certificates, for nothing below it but servers. Critical, all of it.
  const basic = extension('551d13', sequence(BOOLEAN_TRUE, tagged(0x02, Buffer.from([0]))), true)
  const usage = extension('551d0f', tagged(0x03, Buffer.from([2, 0b100])), true)
  writePrivateFile(file, makeCertificate(AUTHORITY_NAME, publicKey, AUTHORITY_DAYS, [basic, usage], privateKey))
  return privateKey
}

const toPem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }))

// X.509 v3 in DER (RFC 5280), as much of it as the two certificates above have.

function makeCertificate(
  name: string,
  publicKey: KeyObject,
  days: number,
  extensions: readonly Buffer[],
  authority: KeyObject,
): string {
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    // Positive, and of no leading zero.
    tagged(0x02, Buffer.concat([Buffer.from([0x4d]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    commonName(AUTHORITY_NAME),
    // A day back: clocks differ.
    sequence(time(Date.now() - DAY_MS), time(Date.now() + days * DAY_MS)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, authority)
  const der = sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

const BOOLEAN_TRUE = tagged(0x01, Buffer.from([0xff]))
const objectId = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'))

const commonName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, Buffer.from(name)))))

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [BOOLEAN_TRUE] : []), tagged(0x04, value))
}

/** As GeneralizedTime from 2050, as the standard wants it. */
function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, '')
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits))
}

function subjectName(name: string): Buffer {
  return isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressBytes(name))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes the shortest form, with at most one `::` and no dots.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text = ''): number[] => (text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16)))
  const after = groups(tail)
  const before = groups(head)
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
