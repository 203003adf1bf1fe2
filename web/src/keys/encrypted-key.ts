import { type Bytes, type DerElement, derTags, readDer, toDotted } from './der.ts'
import { KeyFileError, PassphraseError } from './key-file-error.ts'

// RFC 8018 (PBES2) and RFC 5958, as OpenSSL and Node write them.
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const SHA1_IDENTIFIER = '1.2.840.113549.2.7'

const hashes: Readonly<Record<string, string>> = {
  [SHA1_IDENTIFIER]: 'SHA-1',
  '1.2.840.113549.2.9': 'SHA-256',
  '1.2.840.113549.2.10': 'SHA-384',
  '1.2.840.113549.2.11': 'SHA-512',
}

/** The lengths in bits of the keys of AES in CBC mode. */
const ciphers: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.1.2': 128,
  '2.16.840.1.101.3.4.1.22': 192,
  '2.16.840.1.101.3.4.1.42': 256,
}

/** A file that asks for more wants to keep this page busy: the tools' own defaults are 2,048 to 600,000. */
const ITERATIONS_MAX = 10_000_000

/** The PKCS #8 of an EncryptedPrivateKeyInfo. Rejects with a PassphraseError, or a KeyFileError: a way that browsers lack. */
export async function decryptKey(der: Bytes, passphrase: string): Promise<Bytes> {
  const { salt, iterations, hash, keyBits, iv, encrypted } = readParameters(der)
  const password = new TextEncoder().encode(passphrase)
  const base = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveKey'])
  const derivation = { name: 'PBKDF2', salt, iterations, hash }
  const key = await crypto.subtle.deriveKey(derivation, base, { name: 'AES-CBC', length: keyBits }, false, ['decrypt'])
  try {
    const plain = new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, key, encrypted))
    // One wrong passphrase in a few hundred leaves padding that looks right, and rubbish before it.
    if (readDer(plain)[0]?.tag !== derTags.sequence) throw new RangeError('No key came out')
    return plain
  } catch {
    throw new PassphraseError('Wrong passphrase: the key cannot be decrypted with it')
  }
}

function readParameters(der: Bytes) {
  const [algorithm, data] = inside(readDer(der)[0])
  const [scheme, parameters] = inside(algorithm)
  if (identifier(scheme) !== PBES2) throw unsupported()
  const [derivation, encryption] = inside(parameters)
  const [derivationName, derivationParameters] = inside(derivation)
  if (identifier(derivationName) !== PBKDF2) throw unsupported()
  const [salt, iterations, ...optional] = inside(derivationParameters)
  // A key length may stand before it; SHA-1 is what holds where no hash is named.
  const named = optional.find(({ tag }) => tag === derTags.sequence)
  const hash = hashes[named === undefined ? SHA1_IDENTIFIER : identifier(inside(named)[0])]
  const [cipher, iv] = inside(encryption)
  const keyBits = ciphers[identifier(cipher)]
  if (hash === undefined || keyBits === undefined || salt?.tag !== derTags.octets) throw unsupported()
  const count = iterations?.content.reduce((sum, byte) => sum * 256 + byte, 0) ?? 0
  if (count < 1 || count > ITERATIONS_MAX || iv === undefined || data === undefined) throw unsupported()
  return { salt: salt.content, iterations: count, hash, keyBits, iv: iv.content, encrypted: data.content }
}

const inside = (element: DerElement | undefined): DerElement[] =>
  element?.tag === derTags.sequence ? readDer(element.content) : []

const identifier = (element: DerElement | undefined): string =>
  element?.tag === derTags.identifier ? toDotted(element.content) : ''

const unsupported = () =>
  new KeyFileError(
    'This key is encrypted in a way that browsers cannot read. Convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW',
  )
