import { type Scope, withContained } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { type JsonRpcId, jsonRpcError, TRANSPORT_ERROR } from './json-rpc.ts'

/** What a client is asked for first. With less, the first change would send its person back to the consent. */
const FIRST_SCOPES = withContained('write').join(' ')

interface Challenge {
  readonly error?: 'invalid_token' | 'insufficient_scope'
  readonly description?: string
  readonly scope?: string
  /** Where clients learn how to get a token (RFC 9728); undefined where nobody issues any. */
  readonly resourceMetadata: string | undefined
}

/** A `WWW-Authenticate` header. Descriptions are ours and hold no quotation marks. */
function toHeader({ error, description, scope, resourceMetadata }: Challenge): string {
  const parts = [
    'realm="millwright"',
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(description === undefined ? [] : [`error_description="${description}"`]),
    ...(resourceMetadata === undefined ? [] : [`resource_metadata="${resourceMetadata}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ]
  return `Bearer ${parts.join(', ')}`
}

/** The challenge of a 401. A request that brought no token is told of no error, as RFC 6750 has it. */
export const unauthenticatedChallenge = (
  refusal: AppError,
  hadToken: boolean,
  resourceMetadata: string | undefined,
): string =>
  toHeader({
    ...(hadToken ? { error: 'invalid_token' as const, description: refusal.message.replaceAll('"', "'") } : {}),
    ...(resourceMetadata === undefined ? {} : { scope: FIRST_SCOPES }),
    resourceMetadata,
  })

/**
 * The 403 of a call that the token's scopes do not allow. Names all scopes that the call needs, since clients ask for
 * exactly those in the next token.
 */
export function insufficientScope(needed: Scope, id: JsonRpcId, resourceMetadata: string | undefined): Response {
  const scope = withContained(needed).join(' ')
  const refusal = new AppError('forbidden', `Cannot do it: that needs the scope ${needed}`, {
    hint: `Use a token with the scopes ${scope}. What is allowed is what both the token and your role allow`,
    details: { required_scopes: withContained(needed) },
  })
  return jsonRpcError(403, TRANSPORT_ERROR, refusal.message, {
    id,
    data: refusal.toWire(),
    headers: {
      'www-authenticate': toHeader({
        error: 'insufficient_scope',
        description: refusal.message,
        scope,
        resourceMetadata,
      }),
    },
  })
}
