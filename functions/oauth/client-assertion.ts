import { decodeJwt, errors, jwtVerify } from 'jose'
import { pretendToVerify } from '../auth/rsa-key.ts'
import { fromBase64Url, sha256Hex } from '../crypto.ts'
import type { Accounts, KeyRecord } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { OAuthRefusal } from './oauth-refusal.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** By name, so that no header of a token can choose another. */
export const assertionAlgorithms: Readonly<Record<string, string>> = { RS256: 'RSASSA-PKCS1-v1_5', PS256: 'RSA-PSS' }

const CHARACTERS_MAX = 8192
/** Two clocks that are kept right differ by less. */
const TOLERANCE_SECONDS = 60
/** An assertion is made for the request that it comes with. */
const LIFETIME_SECONDS_MAX = 10 * 60
const JTI_CHARACTERS_MAX = 256

/**
 * Which registered key signed a client's assertion (RFC 7523): a JWT whose `iss` and `sub` are the key's fingerprint, whose
 * `aud` is us, that expires within minutes and has a `jti` that has not been used. Rejects with `invalid_client`, in words
 * that tell a wrong clock from a wrong key, and an unknown key from nothing.
 */
export async function verifyAssertion(
  accounts: Pick<Accounts, 'findKey' | 'touchKey' | 'spendOnce'>,
  clock: Clock,
  assertion: string,
  audiences: readonly string[],
): Promise<KeyRecord> {
  const client = readIssuer(assertion)
  const key = await accounts.findKey(client)
  if (key === null) {
    await pretendToVerify('RS256', new Uint8Array(384), assertion)
    throw notAccepted()
  }
  const { jti, exp } = await verify(assertion, key, audiences, clock)
  const isFirst = await accounts.spendOnce(
    await sha256Hex(`assertion ${client} ${jti}`),
    (exp + 2 * TOLERANCE_SECONDS) * 1000,
  )
  if (!isFirst) throw refused('the assertion has been used')
  await accounts.touchKey(client)
  return key
}

/** Before anything is verified: only to know whose key to verify it with. */
function readIssuer(assertion: string): string {
  if (assertion.length > CHARACTERS_MAX) throw notAccepted()
  try {
    return decodeJwt(assertion).iss ?? ''
  } catch {
    throw notAccepted()
  }
}

async function verify(
  assertion: string,
  { spki, fingerprint }: KeyRecord,
  audiences: readonly string[],
  clock: Clock,
): Promise<{ jti: string; exp: number }> {
  const bytes = fromBase64Url(spki) ?? new Uint8Array()
  try {
    const { payload } = await jwtVerify(
      assertion,
      ({ alg }) => {
        const name = Object.hasOwn(assertionAlgorithms, alg) ? assertionAlgorithms[alg] : undefined
        if (name === undefined) throw notAccepted()
        return crypto.subtle.importKey('spki', bytes, { name, hash: 'SHA-256' }, false, ['verify'])
      },
      {
        algorithms: Object.keys(assertionAlgorithms),
        issuer: fingerprint,
        subject: fingerprint,
        audience: [...audiences],
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp', 'jti'],
      },
    )
    const { jti, exp, iat } = payload
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARACTERS_MAX || exp === undefined) {
      throw notAccepted()
    }
    const nowSeconds = clock.now() / 1000
    if (exp - nowSeconds > LIFETIME_SECONDS_MAX + TOLERANCE_SECONDS || (iat ?? 0) > nowSeconds + TOLERANCE_SECONDS) {
      throw refused(
        `the assertion lasts longer than ${LIFETIME_SECONDS_MAX / 60} minutes; is the client's clock right?`,
      )
    }
    return { jti, exp }
  } catch (error) {
    if (error instanceof OAuthRefusal) throw error
    if (error instanceof errors.JWTExpired) throw refused("the assertion has expired; is the client's clock right?")
    if (error instanceof errors.JOSEError) throw notAccepted()
    throw error
  }
}

const refused = (why: string): OAuthRefusal =>
  new OAuthRefusal(401, 'invalid_client', `Cannot accept the client: ${why}`)

const notAccepted = (): OAuthRefusal =>
  refused('its key is not registered here, or the assertion is not by it, or not for this server')
