import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { allowedScopes, Scope, scopes, withContained } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { createAudit, outcomeOf } from '../auth/audit.ts'
import { createChallenges } from '../auth/challenge.ts'
import { SignedChallenge } from '../auth/key-proof.ts'
import { readBody } from '../http/body.ts'
import { type EdgeBindings, tooMany } from '../http/caller-limits.ts'
import { readJson } from '../http/json-body.ts'
import { createOpenLimit } from '../http/open-limit.ts'
import { toPageResponse } from '../http/page.ts'
import { networkOf } from '../http/peer-address.ts'
import type { AppPorts, SignIn } from '../ports/edge-ports.ts'
import { type AuthorizationServers, toGrantUser } from './authorization-servers.ts'
import { assertionAlgorithms } from './client-assertion.ts'
import { OAuthRefusal } from './oauth-refusal.ts'
import { createPendingRequests } from './pending-requests.ts'
import { answerToken } from './token-endpoint.ts'

const WINDOW_MS = 60_000
/** A sign-in is a handful of requests. */
const REQUESTS_MAX = 120
/** A program registers once; a fleet of machines behind one address a few times. */
const REGISTRATIONS_MAX = 20
const BODY_BYTES_MAX = 64 * 1024
const QUERY_CHARACTERS_MAX = 8192

const handle = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/))
const BeginBody = v.strictObject({ query: v.pipe(v.string(), v.maxLength(QUERY_CHARACTERS_MAX)) })
const ChallengeBody = v.strictObject({ handle, key: v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9_-]{43}$/)) })
const ProveBody = v.strictObject({ handle, ...SignedChallenge.entries })
const DecideBody = v.variant('allow', [
  v.strictObject({ allow: v.literal(false), handle }),
  v.strictObject({
    allow: v.literal(true),
    handle,
    ticket: v.pipe(v.string(), v.maxLength(100)),
    workspace: WorkspaceId,
    scopes: v.pipe(v.array(Scope), v.minLength(1), v.maxLength(3)),
  }),
])

/** What the library throws for a request that is not one: only the first may go back to the client's own address. */
const RedirectableError = v.object({ description: v.string(), redirectTo: v.optional(v.string()) })

/**
 * OAuth 2.1 for MCP clients: metadata, registration, the token endpoint, and the authorize page with its four steps. The
 * library has the protocol; the key proof and the consent are ours.
 */
export function createOAuthRoutes(
  ports: AppPorts,
  { accounts }: SignIn,
  servers: AuthorizationServers,
): Hono<EdgeBindings> {
  const { clock } = ports
  const audit = createAudit(accounts, ports.log)
  const challenges = createChallenges(accounts, clock)
  const pending = createPendingRequests(accounts, challenges, clock)
  const requests = createOpenLimit(REQUESTS_MAX, WINDOW_MS, clock)
  const registrations = createOpenLimit(REGISTRATIONS_MAX, WINDOW_MS, clock)
  const app = new Hono<EdgeBindings>()

  type Ask = Context<EdgeBindings>
  const admit = ({ env: { address } }: Ask): string => {
    const waitMs = requests.tryOpen(networkOf(address))
    if (waitMs !== null) throw tooMany(`more than ${REQUESTS_MAX} sign-in requests in a minute`, waitMs)
    return address
  }

  /** As the client wrote the address: behind a proxy ours is another. */
  function parseRequest(raw: Request, query: string) {
    const at = servers.at(raw)
    const api = at.server.getOAuthApi(servers.environment)
    return { at, api, parsed: api.parseAuthRequest(new Request(`${at.issuer}/oauth/authorize?${query}`)) }
  }

  const protectedResource = (context: Ask): Response => {
    const { issuer, resource } = servers.at(context.req.raw)
    return Response.json({
      resource,
      authorization_servers: [issuer],
      scopes_supported: withContained('write'),
      bearer_methods_supported: ['header'],
      resource_name: 'Millwright',
    })
  }
  app.get('/.well-known/oauth-protected-resource', protectedResource)
  app.get('/.well-known/oauth-protected-resource/mcp', protectedResource)

  app.get('/.well-known/oauth-authorization-server', async (context) => {
    const at = servers.at(context.req.raw)
    const response = await at.fetch(new Request(`${at.issuer}/.well-known/oauth-authorization-server`))
    const metadata = v.parse(v.record(v.string(), v.unknown()), await response.json())
    return Response.json(withPrograms(metadata))
  })

  app.get('/oauth/authorize', async (context) => {
    admit(context)
    const query = new URL(context.req.url).search.slice(1)
    try {
      if (query.length > QUERY_CHARACTERS_MAX)
        throw new AppError('too_large', 'Cannot sign in: the request is too long')
      await parseRequest(context.req.raw, query).parsed
    } catch (error) {
      if (error instanceof AppError) throw error
      return refuseAuthorization(error)
    }
    const page = await ports.assets.find('/web/authorize.html')
    return page === undefined ? context.notFound() : toPageResponse(page)
  })

  app.post('/oauth/authorize/begin', async (context) => {
    admit(context)
    const { query } = await readJson(context.req.raw, 'the request', BeginBody)
    const { at, api, parsed } = parseRequest(context.req.raw, query)
    const request = await parsed.catch((error: unknown) => {
      throw new AppError('invalid_input', `Cannot sign in: ${describeError(error)}`, { cause: error })
    })
    return context.json(await pending.begin(request, await api.describeConsent(request), at))
  })

  app.post('/oauth/authorize/challenge', async (context) => {
    admit(context)
    const { handle, key } = await readJson(context.req.raw, 'the request for a challenge', ChallengeBody)
    const { text, expires_at } = await pending.challenge(handle, key)
    return context.json({ challenge: text, expires_at: new Date(expires_at).toISOString() })
  })

  app.post('/oauth/authorize/prove', async (context) => {
    const address = admit(context)
    const { handle, ...signed } = await readJson(context.req.raw, 'the signed challenge', ProveBody)
    try {
      const proven = await pending.prove(handle, signed)
      await audit.record({ actor: proven.user.user_id, action: 'authorize.prove', outcome: 'ok', address })
      return context.json(proven)
    } catch (error) {
      await audit.record({ actor: 'nobody', action: 'authorize.prove', outcome: outcomeOf(error), address })
      throw error
    }
  })

  app.post('/oauth/authorize/decide', async (context) => {
    const address = admit(context)
    const body = await readJson(context.req.raw, 'the decision', DecideBody)
    if (!body.allow) {
      const { request } = await pending.deny(body.handle)
      const target = request.clientId
      await audit.record({ actor: 'nobody', action: 'authorize.decide', target, outcome: 'denied', address })
      return context.json({
        redirect_to: servers.library.authorizationErrorRedirect(toRequest(request), 'access_denied'),
      })
    }
    const { pending: asked, user_id, fingerprint } = await pending.decide(body.handle, body.ticket)
    const { workspace } = body
    const member = await accounts.findRole(user_id, fingerprint, workspace)
    const granted = member === null ? [] : allowedScopes(body.scopes, member.role)
    const entry = { actor: user_id, action: 'authorize.decide', target: asked.request.clientId, workspace, address }
    if (granted.length === 0) {
      await audit.record({ ...entry, outcome: 'no_workspace' })
      throw new AppError('forbidden', 'Cannot allow it: you are not a member of that workspace', {
        details: { reason: 'no_workspace' },
      })
    }
    const api = servers.at(context.req.raw).server.getOAuthApi(servers.environment)
    const { redirectTo } = await api.completeAuthorization({
      request: toRequest(asked.request),
      userId: toGrantUser(user_id, workspace),
      metadata: { client_name: asked.clientName, fingerprint },
      scope: [...granted],
      props: { user_id, fingerprint, workspace },
    })
    await audit.record({ ...entry, outcome: 'ok' })
    return context.json({ redirect_to: redirectTo })
  })

  app.post('/oauth/register', async (context) => {
    const address = admit(context)
    const waitMs = registrations.tryOpen(networkOf(address))
    if (waitMs !== null) throw tooMany(`more than ${REGISTRATIONS_MAX} registrations in a minute`, waitMs)
    const { raw } = context.req
    const body = new Uint8Array(await readBody(raw, BODY_BYTES_MAX))
    const at = servers.at(raw)
    const response = await at.fetch(
      new Request(`${at.issuer}/oauth/register`, { method: 'POST', headers: raw.headers, body }),
    )
    const outcome = response.ok ? 'ok' : String(response.status)
    await audit.record({ actor: 'nobody', action: 'client.register', outcome, address })
    return response
  })

  app.post('/oauth/token', async (context) => {
    try {
      const address = admit(context)
      const body = new Uint8Array(await readBody(context.req.raw, BODY_BYTES_MAX))
      const parts = { accounts, clock, audit, servers, preferred: ports.workspace }
      return await answerToken(parts, context.req.raw, body, address)
    } catch (error) {
      if (error instanceof OAuthRefusal) return error.toResponse()
      throw error
    }
  })

  app.get('/auth/grants', async (context) => {
    const api = servers.at(context.req.raw).server.getOAuthApi(servers.environment)
    const { subject } = await ports.authenticator.authenticate(context.req.raw)
    const grants = []
    for (const { workspace } of await accounts.listMemberships(subject)) {
      const { items } = await api.listUserGrants(toGrantUser(subject, workspace))
      for (const { id, clientId, scope, metadata, createdAt } of items) {
        const named = v.safeParse(v.object({ client_name: v.string() }), metadata)
        const client_name = named.success ? named.output.client_name : null
        const created_at = new Date(createdAt * 1000).toISOString()
        grants.push({ grant_id: id, client_id: clientId, client_name, workspace, scopes: scope, created_at })
      }
    }
    return context.json({ grants })
  })

  app.delete('/auth/grants/:id', async (context) => {
    const api = servers.at(context.req.raw).server.getOAuthApi(servers.environment)
    const { subject: actor, credential } = await ports.authenticator.authenticate(context.req.raw)
    const target = context.req.param('id')
    for (const { workspace } of await accounts.listMemberships(actor)) {
      const owner = toGrantUser(actor, workspace)
      if (!(await api.listUserGrants(owner)).items.some(({ id }) => id === target)) continue
      await api.revokeGrant(target, owner)
      const { address } = context.env
      await audit.record({ actor, action: 'grant.end', target, outcome: 'ok', workspace, credential, address })
      return context.body(null, 204)
    }
    throw new AppError('not_found', 'Cannot end the grant: you have given none of that id', {
      hint: 'GET /auth/grants lists yours',
    })
  })

  return app
}

/** What the library's metadata lacks: programs with keys of ours. */
function withPrograms(metadata: Record<string, unknown>): Record<string, unknown> {
  const more = (name: string, added: readonly string[]) => {
    const present = v.parse(v.optional(v.array(v.string()), []), metadata[name])
    return [...new Set([...present, ...added])]
  }
  return {
    ...metadata,
    scopes_supported: scopes,
    grant_types_supported: more('grant_types_supported', ['client_credentials']),
    token_endpoint_auth_methods_supported: more('token_endpoint_auth_methods_supported', ['private_key_jwt']),
    token_endpoint_auth_signing_alg_values_supported: more(
      'token_endpoint_auth_signing_alg_values_supported',
      Object.keys(assertionAlgorithms),
    ),
  }
}

/** Back to the client only where the library has checked its address; else to the person, as plain text. */
function refuseAuthorization(error: unknown): Response {
  const known = v.safeParse(RedirectableError, error)
  if (known.success && known.output.redirectTo !== undefined) {
    return new Response(null, { status: 302, headers: { location: known.output.redirectTo } })
  }
  const text = `Cannot sign in: ${describeError(error)}\n\nThe program that sent you here is not set up as it should be. Nothing was allowed.\n`
  return new Response(text, { status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

function describeError(error: unknown): string {
  const known = v.safeParse(RedirectableError, error)
  if (known.success) return known.output.description
  return 'who asks could not be found out'
}

/** Stored and read again, a field that was left out is undefined; the library takes it for given. */
function toRequest<Fields extends object>(
  request: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>
  }
}
