// Reading a private key and signing with it, in the browser. Nothing here leaves it.

/** Its message is for the person. */
export class KeyFileError extends Error {}

const labels = new Map([
  ['PUBLIC KEY', 'This is a public key. Choose the file without .pub'],
  ['RSA PUBLIC KEY', 'This is a public key. Choose the private one'],
  [
    'RSA PRIVATE KEY',
    'This key is in an old form (PKCS #1). Convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW',
  ],
  ['ENCRYPTED PRIVATE KEY', 'This key is encrypted. Decrypt it into a new file: openssl pkcs8 -in OLD -out NEW'],
  ['OPENSSH PRIVATE KEY', "This key is in OpenSSH's form. Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY"],
  ['CERTIFICATE', 'This is a certificate. Choose the private key'],
])

const BITS_MIN = 2048
const BITS_MAX = 4096

/**
 * The key of a PEM file: one that signs and cannot be read again, and its fingerprint. Rejects with a KeyFileError.
 * @param {string} text
 */
export async function importPrivateKey(text) {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----/g)]
  if (blocks.length > 1) throw new KeyFileError('This file holds more than one key')
  const [, label = '', body = ''] = blocks[0] ?? []
  if (label !== 'PRIVATE KEY') throw new KeyFileError(labels.get(label) ?? 'This file holds no private key as PEM')
  const parameters = { name: 'RSA-PSS', hash: 'SHA-256' }
  try {
    const bytes = Uint8Array.from(atob(body.replace(/\s+/g, '')), (character) => character.charCodeAt(0))
    const readable = await crypto.subtle.importKey('pkcs8', bytes, parameters, true, ['sign'])
    const signing = await crypto.subtle.importKey('pkcs8', bytes, parameters, false, ['sign'])
    const { n = '', e = '' } = await crypto.subtle.exportKey('jwk', readable)
    const bits = Math.floor((n.length * 6) / 8) * 8
    if (bits < BITS_MIN) throw new KeyFileError(`Key too short: ${bits} bits, at least ${BITS_MIN} are needed`)
    if (bits > BITS_MAX) throw new KeyFileError(`Key too long: ${bits} bits, at most ${BITS_MAX} are taken`)
    return { signing, fingerprint: await fingerprintOf({ n, e }) }
  } catch (error) {
    if (error instanceof KeyFileError) throw error
    throw new KeyFileError('This is no RSA key that the browser can read')
  }
}

/**
 * As the server names the key: the SHA-256 of its public half.
 * @param {{ n: string, e: string }} numbers
 */
async function fingerprintOf({ n, e }) {
  const parameters = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e }, parameters, true, ['verify'])
  const spki = await crypto.subtle.exportKey('spki', key)
  return `SHA256:${toBase64Url(await crypto.subtle.digest('SHA-256', spki))}`
}

/**
 * RSA-PSS with SHA-256 and a salt as long, in base64url.
 * @param {Awaited<ReturnType<typeof crypto.subtle.importKey>>} key
 * @param {string} text
 */
export async function signText(key, text) {
  const parameters = { name: 'RSA-PSS', saltLength: 32 }
  return toBase64Url(await crypto.subtle.sign(parameters, key, new TextEncoder().encode(text)))
}

/** @param {ArrayBuffer} bytes */
const toBase64Url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
