import {
  KEY_BITS_MAX,
  KEY_BITS_MIN,
  KEY_EXPONENT,
  type SignatureAlgorithm,
  type SignInReason,
} from '#shared/sign-in.ts'
import { fromBase64Url, toBase64Url } from '../crypto.ts'
import { signInRefusal } from './refusal.ts'

export interface PublicKey {
  /** `SHA256:` and the base64url of the SHA-256 of `spki`. */
  readonly fingerprint: string
  /** SPKI in its one canonical form. */
  readonly spki: Uint8Array<ArrayBuffer>
  readonly bits: number
}

/** An SPKI of 4096 bits is 550 bytes; what is longer is not even looked at. */
const SPKI_BYTES_MAX = 1100
/** RSA-PSS with SHA-256 is used with a salt as long as the hash. */
const SALT_BYTES = 32

const importParameters = {
  'RSA-PSS': { name: 'RSA-PSS', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const satisfies Record<SignatureAlgorithm, object>

const verifyParameters = {
  'RSA-PSS': { name: 'RSA-PSS', saltLength: SALT_BYTES },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
} as const satisfies Record<SignatureAlgorithm, object>

/**
 * Reads the public half of an RSA key and holds it to our policy: 2048 to 4096 bits, e = 65537. The runtimes' own import
 * takes keys with which anybody can sign (e = 1) or that can be broken (512 bits). Throws `invalid_input` with a reason.
 */
export async function parsePublicKey(spki: Uint8Array<ArrayBuffer>): Promise<PublicKey> {
  if (spki.byteLength > SPKI_BYTES_MAX) throw refused('key_too_long', `it has more than ${KEY_BITS_MAX} bits`)
  const jwk = await readNumbers(spki)
  const bits = bitLength(fromBase64Url(jwk.n ?? '') ?? new Uint8Array())
  if (bits < KEY_BITS_MIN) throw refused('key_too_short', `it has ${bits} bits, at least ${KEY_BITS_MIN} are needed`)
  if (bits > KEY_BITS_MAX) throw refused('key_too_long', `it has ${bits} bits, at most ${KEY_BITS_MAX} are taken`)
  if (jwk.e !== KEY_EXPONENT) throw refused('bad_exponent', 'its exponent is not 65537')
  // From its two numbers again: one key has one fingerprint, however the bytes that were given wrote it.
  const canonical = await crypto.subtle.importKey(
    'jwk',
    { kty: 'RSA', n: jwk.n ?? '', e: KEY_EXPONENT },
    importParameters.RS256,
    true,
    ['verify'],
  )
  const bytes = new Uint8Array(await crypto.subtle.exportKey('spki', canonical))
  return { spki: bytes, bits, fingerprint: await toFingerprint(bytes) }
}

async function readNumbers(spki: Uint8Array<ArrayBuffer>): Promise<{ n?: string; e?: string }> {
  try {
    const key = await crypto.subtle.importKey('spki', spki, importParameters.RS256, true, ['verify'])
    return await crypto.subtle.exportKey('jwk', key)
  } catch {
    throw refused('not_rsa', 'it is no RSA key that can be read')
  }
}

async function toFingerprint(spki: Uint8Array<ArrayBuffer>): Promise<string> {
  return `SHA256:${toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', spki)))}`
}

/** Whether `signature` is the key's over `text`. False as well for what is no signature at all. `spki` has passed the policy. */
export async function verifySignature(
  spki: Uint8Array<ArrayBuffer>,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('spki', spki, importParameters[algorithm], false, ['verify'])
  return crypto.subtle.verify(verifyParameters[algorithm], key, signature, new TextEncoder().encode(text))
}

/** A number of 3072 bits that nobody has the factors of: checking against it takes as long as against a key, and fails. */
const nobodysKey = { kty: 'RSA', e: KEY_EXPONENT, n: toBase64Url(new Uint8Array(384).fill(0xb5)) }

/** Takes the time of `verifySignature`, for a key that is not there: how long we take tells nothing. */
export async function pretendToVerify(
  algorithm: SignatureAlgorithm,
  signature: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<void> {
  const key = await crypto.subtle.importKey('jwk', nobodysKey, importParameters[algorithm], false, ['verify'])
  await crypto.subtle.verify(verifyParameters[algorithm], key, signature, new TextEncoder().encode(text))
}

function bitLength(number: Uint8Array): number {
  const first = number.findIndex((byte) => byte !== 0)
  return first === -1 ? 0 : (number.length - first) * 8 - Math.clz32(number[first] ?? 0) + 24
}

const refused = (reason: SignInReason, why: string) =>
  signInRefusal(
    'invalid_input',
    reason,
    `Cannot use the key: ${why}`,
    'Make one with "npm run keys": RSA of 3072 bits with the exponent 65537',
  )
