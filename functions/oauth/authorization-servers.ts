import * as v from 'valibot'
import { allowedScopes, parseScopes, scopes } from '#shared/access.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { requestOrigin } from '../http/request-origin.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Principal } from '../ports/authenticator.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { OAuthEnvironment, OAuthExecution, OAuthLibrary, OAuthServer } from '../ports/oauth-library.ts'
import { createTokenValidator } from './validated-tokens.ts'
import { createValueStore } from './value-store.ts'

export interface OAuthParts {
  readonly library: OAuthLibrary
  readonly accounts: Accounts
  readonly publicOrigin: string | null
  readonly clock: Clock
  readonly log: Log
}

/** The authorization server at one of this edge's names: a token that was given at one is none at another. */
export interface AuthorizationServer {
  readonly issuer: string
  /** The MCP endpoint, as tokens name it. */
  readonly resource: string
  readonly server: OAuthServer
  /** Answers for the library what it answers itself. */
  fetch(request: Request): Promise<Response>
}

export interface AuthorizationServers {
  readonly library: OAuthLibrary
  readonly environment: OAuthEnvironment
  at(request: Request): AuthorizationServer
  /** Whose a token is, and what it allows now. Null for what is no good token of an OAuth client. */
  verify(token: string, request: Request): Promise<Principal | null>
}

/** What a grant carries, encrypted under its tokens. */
const GrantProps = v.object({ user_id: v.string(), fingerprint: v.string(), workspace: WorkspaceId })
export type GrantProps = v.InferOutput<typeof GrantProps>

const ACCESS_SECONDS = 60 * 60
/** Without a refresh for this long a client's grant is over. */
const REFRESH_IDLE_SECONDS = 30 * 24 * 60 * 60
const REGISTRATION_SECONDS = 90 * 24 * 60 * 60
/** A client's own `Host` chooses among the names of this machine and its ports: no more than this many are kept. */
const ORIGINS_MAX = 16

/**
 * The library names its users and grants without colons. One name for each workspace of a person, since a new grant of a
 * client takes the place of the old one of the same name.
 */
export const toGrantUser = (user: string, workspace: WorkspaceId): string => `${user}.${workspace}`

export function createAuthorizationServers(parts: OAuthParts): AuthorizationServers {
  const { library, accounts, publicOrigin, clock, log } = parts
  const environment = { OAUTH_KV: createValueStore(accounts, clock) }
  const execution: OAuthExecution = {
    waitUntil: (work) => void work.catch((error: unknown) => log.error('OAuth work failed', error)),
    passThroughOnException: () => undefined,
    props: {},
  }
  const validate = createTokenValidator(accounts, environment)
  const known = new Map<string, AuthorizationServer>()

  function create(issuer: string): AuthorizationServer {
    const resource = `${issuer}/mcp`
    const server = new library.OAuthAuthorizationServer({
      issuer,
      resources: [resource],
      defaultResource: resource,
      authorizeEndpoint: '/oauth/authorize',
      tokenEndpoint: '/oauth/token',
      clientRegistrationEndpoint: '/oauth/register',
      scopesSupported: [...scopes],
      accessTokenTTL: ACCESS_SECONDS,
      refreshTokenTTL: REFRESH_IDLE_SECONDS,
      refreshTokenIdleTTL: REFRESH_IDLE_SECONDS,
      clientRegistrationTTL: REGISTRATION_SECONDS,
      clientIdMetadataDocumentEnabled: true,
      onError: ({ internal }) =>
        log.info('OAuth request refused', { category: internal.category, reason: internal.reason }),
    })
    return { issuer, resource, server, fetch: (request) => server.fetch(request, environment, execution) }
  }

  function at(request: Request): AuthorizationServer {
    const issuer = requestOrigin(request.headers, publicOrigin)
    const found = known.get(issuer)
    if (found !== undefined) return found
    const [oldest] = known.keys()
    if (known.size >= ORIGINS_MAX && oldest !== undefined) known.delete(oldest)
    const created = create(issuer)
    known.set(issuer, created)
    return created
  }

  return {
    library,
    environment,
    at,
    async verify(token, request) {
      const [, grant, secret, ...rest] = token.split(':')
      if (grant === undefined || secret === undefined || rest.length > 0) return null
      const { server, resource } = at(request)
      const valid = await validate(server, resource, token)
      const props = v.safeParse(GrantProps, valid?.props)
      if (valid === null || !props.success) return null
      const { user_id, fingerprint, workspace } = props.output
      const member = await accounts.findRole(user_id, fingerprint, workspace)
      if (member === null) return null
      return {
        subject: user_id,
        name: member.user.name,
        workspace,
        scopes: allowedScopes(parseScopes(valid.scope.join(' ')), member.role),
        credential: grant,
      }
    },
  }
}
