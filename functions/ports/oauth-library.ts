// The slice of @cloudflare/workers-oauth-provider that we use. Its own types need those of another runtime.

/** An authorization request that the library has checked. */
export interface AuthRequest {
  readonly responseType: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string[]
  readonly state: string
  readonly codeChallenge?: string
  readonly codeChallengeMethod?: string
  readonly resource?: string
  readonly issuer?: string
}

/** What a person must be shown of it. Every text may come from the client. */
export interface ConsentDescription {
  readonly clientName: string
  /** The domain that the client has proven to control; absent for a client that only says who it is. */
  readonly clientDomain?: string
  readonly redirectUri: string
  readonly redirectHost: string
  readonly redirectIsLoopback: boolean
}

export interface GrantSummary {
  readonly id: string
  readonly clientId: string
  readonly scope: string[]
  readonly metadata: unknown
  /** Epoch seconds. */
  readonly createdAt: number
  readonly expiresAt?: number
}

export interface OAuthHelpers {
  /** Throws `AuthorizationError` or `CimdFetchError` for what a client got wrong. */
  parseAuthRequest(request: Request): Promise<AuthRequest>
  describeConsent(request: AuthRequest): Promise<ConsentDescription>
  completeAuthorization(options: {
    request: AuthRequest
    userId: string
    metadata: unknown
    scope: string[]
    props: unknown
  }): Promise<{ redirectTo: string }>
  listUserGrants(userId: string): Promise<{ items: GrantSummary[] }>
  revokeGrant(grantId: string, userId: string): Promise<void>
}

export interface OAuthValue {
  get(key: string, options?: { type?: string } | string): Promise<unknown>
  put(
    key: string,
    value: string,
    options?: { expiration?: number; expirationTtl?: number; metadata?: unknown },
  ): Promise<void>
  delete(key: string): Promise<void>
  list(options?: { prefix?: string; limit?: number; cursor?: string }): Promise<{
    keys: { name: string; expiration?: number; metadata?: unknown }[]
    list_complete: boolean
    cursor?: string
  }>
}

export interface OAuthEnvironment {
  readonly OAUTH_KV: OAuthValue
}

export interface OAuthExecution {
  waitUntil(work: Promise<unknown>): void
  passThroughOnException(): void
  readonly props: unknown
}

export interface OAuthServer {
  fetch(request: Request, env: OAuthEnvironment, context: OAuthExecution): Promise<Response>
  getOAuthApi(env: OAuthEnvironment): OAuthHelpers
  validateToken(
    resource: string,
    token: string,
    env: OAuthEnvironment,
  ): Promise<{ props: unknown; scope: string[]; clientId: string } | null>
}

export interface OAuthServerOptions {
  readonly issuer: string
  readonly resources: readonly string[]
  readonly defaultResource: string
  readonly authorizeEndpoint: string
  readonly tokenEndpoint: string
  readonly clientRegistrationEndpoint: string
  readonly scopesSupported: string[]
  readonly accessTokenTTL: number
  readonly refreshTokenTTL: number
  readonly refreshTokenIdleTTL: number
  readonly clientRegistrationTTL: number
  readonly clientIdMetadataDocumentEnabled: boolean
  readonly onError: (error: { internal: { category: string; reason: string } }) => void
}

/** The library as a module. An entry file loads it as its runtime does. */
export interface OAuthLibrary {
  readonly OAuthAuthorizationServer: new (options: OAuthServerOptions) => OAuthServer
  readonly authorizationErrorRedirect: (request: AuthRequest, code: 'access_denied', description?: string) => string
}
