import { allowedScopes } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { isLoopbackAddress } from '../http/loopback.ts'
import { isOwnAddress } from '../http/peer-address.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Authenticator, Principal } from '../ports/authenticator.ts'
import { createBearerTokenAuthenticator } from './bearer-token.ts'
import { createTokenHasher, readBearer, tokenPrefixes } from './tokens.ts'

export interface GateParts {
  /** Of this machine's owner. */
  readonly ownerToken: string
  readonly accounts: Pick<Accounts, 'findAccess'>
  /**
   * The header in which the runtime itself writes the address of its peer, over whatever the client sent. Left out: no header
   * is written by the runtime.
   */
  readonly addressHeader?: string
}

/** Set by whatever forwards a request for somebody else. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'via']

/**
 * The one gate for every kind of token: the owner's, a session's, a named one. What is allowed is what both the token and
 * its holder's role allow at this moment, so that whatever is revoked is refused with the very next call.
 *
 * The owner's token is taken from this machine only: by a name of its own loopback, and not through a proxy.
 */
export function createGate({ ownerToken, accounts, addressHeader }: GateParts): Authenticator {
  const owner = createBearerTokenAuthenticator(ownerToken)
  const hash = createTokenHasher()

  async function find(token: string): Promise<Principal | null> {
    const isOurs = token.startsWith(tokenPrefixes.access) || token.startsWith(tokenPrefixes.named)
    const access = isOurs ? await accounts.findAccess(await hash(token)) : null
    if (access === null) return null
    return {
      subject: access.user.user_id,
      name: access.user.name,
      workspace: access.workspace,
      scopes: allowedScopes(access.scopes, access.role),
      credential: access.credential_id,
    }
  }

  return {
    async authenticate(request) {
      const token = readBearer(request)
      const found = token === null ? null : await find(token)
      if (found !== null) return found
      const principal = await owner.authenticate(request)
      if (!isFromThisMachine(request, addressHeader)) {
        throw new AppError(
          'unauthenticated',
          "Cannot answer: the owner's token is good on the server's own machine only",
          {
            hint: 'Sign in, or use a token of "npm run keys -- token"',
          },
        )
      }
      return principal
    },
  }
}

/** The same gate, with the tokens of another store looked for first. `verify` answers null for what is none of its own. */
export const alsoAdmitting = (
  gate: Authenticator,
  verify: (token: string, request: Request) => Promise<Principal | null>,
): Authenticator => ({
  async authenticate(request) {
    const token = readBearer(request)
    return (token === null ? null : await verify(token, request)) ?? gate.authenticate(request)
  },
})

function isFromThisMachine({ headers }: Request, addressHeader: string | undefined): boolean {
  const forwarded = forwardingHeaders.some((name) => name !== addressHeader && headers.has(name))
  const peer = addressHeader === undefined ? null : headers.get(addressHeader)
  return isLoopbackAddress(headers.get('host') ?? '') && !forwarded && (peer === null || isOwnAddress(peer))
}
