import type { Accounts } from '../ports/accounts.ts'
import type { OAuthEnvironment, OAuthServer, OAuthValue } from '../ports/oauth-library.ts'

type ValidatedToken = NonNullable<Awaited<ReturnType<OAuthServer['validateToken']>>>

interface Remembered {
  /** The record that the library read, and what was in it. */
  readonly key: string
  readonly text: string
  readonly valid: ValidatedToken
}

/** Tokens that are remembered; the one that was asked about longest ago goes. */
const REMEMBERED_MAX = 1000

/**
 * Asks the library about a token, and remembers what it said for as long as the record that it read is the same. The library
 * hashes, unwraps and decrypts, which is half a millisecond of work on other threads with each call and always comes
 * to the same; that the record is still there, which is what a revocation takes away, is looked at each time.
 */
export function createTokenValidator(
  accounts: Pick<Accounts, 'getValue'>,
  environment: OAuthEnvironment,
): (server: OAuthServer, resource: string, token: string) => Promise<ValidatedToken | null> {
  const remembered = new Map<string, Remembered>()
  return async (server, resource, token) => {
    const name = `${resource} ${token}`
    const known = remembered.get(name)
    remembered.delete(name)
    if (known !== undefined && (await accounts.getValue(known.key))?.value === known.text) {
      remembered.set(name, known)
      return known.valid
    }
    const reads: string[] = []
    const watched: OAuthValue = {
      ...environment.OAUTH_KV,
      get: (key, options) => {
        reads.push(key)
        return environment.OAUTH_KV.get(key, options)
      },
    }
    const valid = await server.validateToken(resource, token, { OAUTH_KV: watched })
    const [key, ...others] = reads
    // Of an answer that rests on more than one record we would not know when it is another.
    if (valid === null || key === undefined || others.length > 0) return valid
    const text = (await accounts.getValue(key))?.value
    if (text === undefined) return null
    const [oldest] = remembered.keys()
    if (remembered.size >= REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest)
    remembered.set(name, { key, text, valid })
    return valid
  }
}
