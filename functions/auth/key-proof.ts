import * as v from 'valibot'
import { SignatureAlgorithm } from '#shared/sign-in.ts'
import { fromBase64Url } from '../crypto.ts'
import type { Accounts, KeyRecord } from '../ports/accounts.ts'
import type { ChallengePurpose, Challenges } from './challenge.ts'
import { signInRefusal } from './refusal.ts'
import { pretendToVerify, verifySignature } from './rsa-key.ts'

/** Longer than any challenge is. */
const CHALLENGE_CHARACTERS_MAX = 20_000
/** Base64url of a signature by 4096 bits is 683 characters. */
const SIGNATURE_CHARACTERS_MAX = 700

/** What a client sends as proof that it holds a key: the challenge as it got it, and its signature in base64url. */
export const SignedChallenge = v.object({
  challenge: v.pipe(v.string(), v.maxLength(CHALLENGE_CHARACTERS_MAX)),
  signature: v.pipe(v.string(), v.maxLength(SIGNATURE_CHARACTERS_MAX)),
  algorithm: SignatureAlgorithm,
})
export type SignedChallenge = v.InferOutput<typeof SignedChallenge>

export interface ProvenKey {
  readonly key: KeyRecord
  /** What the challenge was about, beside its purpose. */
  readonly about: string
}

/**
 * Whether the client holds the key that the challenge is for. The challenge is used up first, so that one signature is
 * tried once. Rejects with `unauthenticated`; a key that is unknown and a signature that is wrong look the same and
 * take as long.
 */
export async function proveKey(
  accounts: Pick<Accounts, 'findKey' | 'touchKey'>,
  challenges: Challenges,
  { challenge, signature, algorithm }: SignedChallenge,
  expected: { readonly origin: string; readonly purpose: ChallengePurpose },
): Promise<ProvenKey> {
  const { fingerprint, about } = await challenges.spend(challenge, expected)
  const bytes = fromBase64Url(signature) ?? new Uint8Array()
  const key = await accounts.findKey(fingerprint)
  if (key === null) {
    await pretendToVerify(algorithm, bytes, challenge)
    throw notAccepted()
  }
  const spki = fromBase64Url(key.spki) ?? new Uint8Array()
  if (!(await verifySignature(spki, algorithm, bytes, challenge))) throw notAccepted()
  await accounts.touchKey(fingerprint)
  return { key, about }
}

const notAccepted = () =>
  signInRefusal(
    'unauthenticated',
    'key_not_accepted',
    'Cannot sign in: the key is not registered here, or the signature is not by it',
    'Whoever runs this server registers keys with "npm run keys -- add FILE.pub --user NAME"',
  )
