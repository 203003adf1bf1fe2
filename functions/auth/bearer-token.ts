import { AppError } from '#shared/errors.ts'
import type { Authenticator } from '../ports/authenticator.ts'

/** Longer than any token that we issue; what is longer is refused unread. */
const TOKEN_CHARACTERS_MAX = 4096

/**
 * One token for one person, for a server on their own machine. Takes the same time wherever a wrong token first differs;
 * how long tokens are is no secret. Not by way of digests: WebCrypto computes them on another thread, and the two hops
 * would cost every call a tenth of its time.
 */
export function createBearerTokenAuthenticator(token: string): Authenticator {
  return {
    async authenticate(request) {
      const match = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.get('authorization') ?? '')
      const presented = match?.[1]
      if (presented === undefined || presented.length > TOKEN_CHARACTERS_MAX) {
        throw new AppError('unauthenticated', 'Cannot answer: no bearer token was sent', {
          hint: 'Send the header "Authorization: Bearer TOKEN" with the token that the server made at its first start',
        })
      }
      if (!isEqual(presented, token)) {
        throw new AppError('unauthenticated', 'Cannot answer: the bearer token is not valid', {
          hint: 'Use the token that the server made at its first start',
        })
      }
      return { subject: 'owner' }
    },
  }
}

/** Looks at every character of `presented`, whatever it finds. */
function isEqual(presented: string, expected: string): boolean {
  let difference = presented.length ^ expected.length
  for (let index = 0; index < presented.length; index++) {
    difference |= presented.charCodeAt(index) ^ expected.charCodeAt(index % expected.length)
  }
  return difference === 0
}
