import { scopes } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { isEqualText } from '../crypto.ts'
import type { Authenticator, Principal } from '../ports/authenticator.ts'
import { readBearer } from './tokens.ts'

/** The machine's owner may do everything in the workspace that is served here. */
const owner: Principal = { subject: 'owner', name: null, workspace: null, scopes, credential: null }

/**
 * One token for one person, for a server on their own machine. Takes the same time wherever a wrong token first differs;
 * how long tokens are is no secret. Not by way of digests: WebCrypto computes them on another thread, and the two hops
 * would cost every call a tenth of its time.
 */
export function createBearerTokenAuthenticator(token: string): Authenticator {
  return {
    async authenticate(request) {
      const presented = readBearer(request)
      if (presented === null) {
        throw new AppError('unauthenticated', 'Cannot answer: no bearer token was sent', {
          hint: 'Send the header "Authorization: Bearer TOKEN" with the token that the server made at its first start',
        })
      }
      if (!isEqualText(presented, token)) {
        throw new AppError('unauthenticated', 'Cannot answer: the bearer token is not valid', {
          hint: 'Use the token that the server made at its first start',
        })
      }
      return owner
    },
  }
}
