import { AppError } from '#shared/errors.ts'
import { formatSignature, signedBytes } from '#shared/protocol/signature.ts'
import { fromBase64Url, toBase64Url } from '../crypto.ts'
import type { Signer } from '../ports/signer.ts'

/** What stands in front of the 32 bytes of a private key in PKCS#8, and of a public one in SPKI (RFC 8410). */
const PKCS8_HEAD = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20])
const KEY_BYTES = 32

/** A new private key: 32 random bytes in base64url. */
export const createSigningKey = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))

/** A private key, as `createSigningKey` makes it, and its public half: 32 bytes in base64url, which workers must know. */
interface SigningKey {
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>
  readonly publicKey: string
}

/** Rejects with `invalid_input` for a text that is no private key. */
export async function importSigningKey(privateKey: string): Promise<SigningKey> {
  const seed = fromBase64Url(privateKey)
  if (seed?.length !== KEY_BYTES) {
    throw new AppError('invalid_input', 'Cannot use the signing key: it is not 32 bytes in base64url', {
      hint: 'npm run keys -- edge-key --make prints a new one',
    })
  }
  const bytes = new Uint8Array(PKCS8_HEAD.length + KEY_BYTES)
  bytes.set(PKCS8_HEAD)
  bytes.set(seed, PKCS8_HEAD.length)
  const key = await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', true, ['sign'])
  const { x: publicKey } = await crypto.subtle.exportKey('jwk', key)
  if (publicKey === undefined) throw new Error('An Ed25519 key without its public half')
  return { key, publicKey }
}

/** A signer whose key is read now. Rejects as `importSigningKey`. */
export async function createSigner(privateKey: string): Promise<Signer> {
  await importSigningKey(privateKey)
  return lazySigner(privateKey)
}

/** A signer whose key is read when it is first used, where nothing can be waited for before. */
export function lazySigner(privateKey: string): Signer {
  let imported: Promise<SigningKey> | undefined
  return {
    async sign(statement) {
      imported ??= importSigningKey(privateKey)
      const { key, publicKey } = await imported
      const timeMs = Date.now()
      const signature = await crypto.subtle.sign('Ed25519', key, signedBytes(statement, timeMs))
      return formatSignature({ publicKey, timeMs, signature: toBase64Url(new Uint8Array(signature)) })
    },
  }
}
