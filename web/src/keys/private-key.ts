import { KEY_BITS_MAX, KEY_BITS_MIN } from '#shared/sign-in.ts'
import { type Bytes, derTags, readDer, toDotted, writeDer } from './der.ts'
import { decryptKey } from './encrypted-key.ts'
import { KeyFileError, PassphraseNeeded } from './key-file-error.ts'
import { fingerprintOf, type SigningKey } from './key-proof.ts'

/** A key that signs and cannot be read again, and its name at the server. */
export interface PrivateKey {
  readonly signing: SigningKey
  readonly fingerprint: string
}

/** A PEM file of the largest key that is taken is a tenth of this. */
export const KEY_FILE_CHARACTERS_MAX = 32_768
const RSA = '1.2.840.113549.1.1.1'
/** `rsaEncryption` and its NULL, as they stand in PKCS #8. */
const rsaAlgorithm = writeDer(
  derTags.sequence,
  writeDer(derTags.identifier, new Uint8Array([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1])),
  writeDer(derTags.nothing),
)

const refusals = new Map([
  ['PUBLIC KEY', 'This is a public key. Give the private one: the file without .pub'],
  ['RSA PUBLIC KEY', 'This is a public key. Give the private one'],
  ['SSH2 PUBLIC KEY', 'This is a public key. Give the private one'],
  ['OPENSSH PRIVATE KEY', "This key is in OpenSSH's own form. Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY"],
  ['CERTIFICATE', 'This is a certificate. Give the private key'],
  ['CERTIFICATE REQUEST', 'This is a certificate request. Give the private key'],
  ['EC PRIVATE KEY', 'Not an RSA key: this one is of an elliptic curve'],
  ['DSA PRIVATE KEY', 'Not an RSA key: this one is for DSA'],
])

/**
 * The key of a PEM file: PKCS #8, encrypted (PBES2) or not, or PKCS #1. Rejects with a KeyFileError that says what is wrong,
 * and with PassphraseNeeded where the file is encrypted and `passphrase` is left out or empty. Keeps nothing of the text.
 */
export async function importPrivateKey(text: string, passphrase = ''): Promise<PrivateKey> {
  const der = await readPrivateKeyFile(text, passphrase)
  checkIsRsa(der)
  const parameters = { name: 'RSA-PSS', hash: 'SHA-256' }
  try {
    // The browser tells the numbers of a public half only if the key may be read; the one that signs may not.
    const readable = await crypto.subtle.importKey('pkcs8', der, parameters, true, ['sign'])
    const signing = await crypto.subtle.importKey('pkcs8', der, parameters, false, ['sign'])
    const { n = '', e = '' } = await crypto.subtle.exportKey('jwk', readable)
    checkLength(n)
    const publicKey = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e }, parameters, true, ['verify'])
    return { signing, fingerprint: await fingerprintOf(await crypto.subtle.exportKey('spki', publicKey)) }
  } catch (error) {
    if (error instanceof KeyFileError) throw error
    throw new KeyFileError('This RSA key is damaged: the browser cannot read it')
  }
}

async function readPrivateKeyFile(text: string, passphrase: string): Promise<Bytes> {
  if (text.length > KEY_FILE_CHARACTERS_MAX) throw new KeyFileError('This is too long for a key')
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([\s\S]*?)-----END \1-----/g)]
  if (blocks.length > 1) throw new KeyFileError('This holds more than one key. Give one key and nothing else')
  const [, label = '', body = ''] = blocks[0] ?? []
  if (label === '') throw noPem(text)
  if (label === 'RSA PRIVATE KEY') {
    if (body.includes('ENCRYPTED')) {
      throw new KeyFileError(
        'This key is encrypted in an old form (PKCS #1). Convert it: openssl pkcs8 -topk8 -in OLD -out NEW',
      )
    }
    return fromPkcs1(fromBase64(body))
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    if (passphrase === '') throw new PassphraseNeeded()
    return decryptKey(fromBase64(body), passphrase).catch((error: unknown) => {
      throw error instanceof RangeError ? damaged() : error
    })
  }
  if (label !== 'PRIVATE KEY') throw new KeyFileError(refusals.get(label) ?? `This is no private key, but "${label}"`)
  return fromBase64(body)
}

function noPem(text: string): KeyFileError {
  if (/^\s*(ssh-(rsa|ed25519|dss)|ecdsa-)/.test(text)) {
    return new KeyFileError('This is a public key. Give the private one: the file without .pub')
  }
  if (text.trim() === '') return new KeyFileError('There is no key yet. Paste one, or choose its file')
  return new KeyFileError(
    text.includes('-----BEGIN')
      ? 'This key is not whole: its first or last line is missing or damaged'
      : 'This is no private key as PEM: it begins with -----BEGIN PRIVATE KEY-----',
  )
}

/** PKCS #8 around the numbers of PKCS #1. */
const fromPkcs1 = (der: Bytes): Bytes =>
  writeDer(derTags.sequence, writeDer(derTags.integer, new Uint8Array(1)), rsaAlgorithm, writeDer(derTags.octets, der))

function checkIsRsa(der: Bytes): void {
  let algorithm: string
  try {
    const [whole] = readDer(der)
    const [, kind] = readDer(whole?.content ?? new Uint8Array())
    const [name] = readDer(kind?.content ?? new Uint8Array())
    algorithm = toDotted(name?.content ?? new Uint8Array())
  } catch {
    throw damaged()
  }
  if (algorithm !== RSA) throw new KeyFileError('Not an RSA key: make one with npm run keys')
}

/** `modulus` in base64url, without leading zeros, as a JWK has it. */
function checkLength(modulus: string): void {
  const bytes = atob(modulus.replaceAll('-', '+').replaceAll('_', '/'))
  const bits = bytes.length * 8 - Math.clz32(bytes.charCodeAt(0)) + 24
  if (bits < KEY_BITS_MIN) throw new KeyFileError(`Key too short: ${bits} bits, at least ${KEY_BITS_MIN} are needed`)
  if (bits > KEY_BITS_MAX) throw new KeyFileError(`Key too long: ${bits} bits, at most ${KEY_BITS_MAX} are taken`)
}

function fromBase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, '')), (character) => character.charCodeAt(0))
  } catch {
    throw damaged()
  }
}

const damaged = () => new KeyFileError('This key is damaged: its text is not what it was')
