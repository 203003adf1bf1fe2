import { toPem } from '#shared/key-file.ts'
import { KEY_BITS_DEFAULT } from '#shared/sign-in.ts'
import { fingerprintOf } from './key-proof.ts'

export interface NewKey {
  /** PKCS #8 as PEM: the person saves it. It exists nowhere else. */
  readonly privatePem: string
  /** SPKI as PEM: what is registered. */
  readonly publicPem: string
  readonly fingerprint: string
}

/** A key pair as `npm run keys` makes it, made in the browser. */
export async function createKeyPair(): Promise<NewKey> {
  const parameters = {
    name: 'RSA-PSS',
    hash: 'SHA-256',
    modulusLength: KEY_BITS_DEFAULT,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  const pair = await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey)
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', pair.privateKey)
  return {
    privatePem: toPem('PRIVATE KEY', new Uint8Array(pkcs8)),
    publicPem: toPem('PUBLIC KEY', new Uint8Array(spki)),
    fingerprint: await fingerprintOf(spki),
  }
}
