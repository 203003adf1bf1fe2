import { Hono } from 'hono'
import { AppError } from '#shared/errors.ts'
import { alsoAdmitting } from './auth/gate.ts'
import { openWorkspace } from './auth/open-workspace.ts'
import { createAuthRoutes } from './auth/routes.ts'
import { unauthenticatedChallenge } from './http/bearer-challenge.ts'
import { checkDeclaredLength, parseJson, readBody, unsupportedMedia } from './http/body.ts'
import { type EdgeBindings, limitCallers } from './http/caller-limits.ts'
import { toErrorResponse, toRefusal } from './http/errors.ts'
import { INVALID_REQUEST, jsonRpcError, PARSE_ERROR, TRANSPORT_ERROR } from './http/json-rpc.ts'
import { checkHostAndOrigin } from './http/origin.ts'
import { toAssetResponse, toPageResponse } from './http/page.ts'
import { requestOrigin } from './http/request-origin.ts'
import { createMcpEndpoint, type McpEndpoint } from './mcp/endpoint.ts'
import type { McpExtension } from './mcp/extension.ts'
import { McpSessions } from './mcp/sessions.ts'
import { createToolsets } from './mcp/toolset.ts'
import { type AuthorizationServers, createAuthorizationServers } from './oauth/authorization-servers.ts'
import { createOAuthRoutes } from './oauth/routes.ts'
import type { AppPorts, OpenWorkspace } from './ports/edge-ports.ts'

export interface EdgeApp {
  /** `address` is the peer's on the network, where the entry knows it: limits on strangers go by it. */
  readonly fetch: (request: Request, address?: string) => Response | Promise<Response>
  /** Ends what is being answered. */
  close(): Promise<void>
}

/**
 * The whole edge as a web-standard app: no platform, no environment. For every request, in this order: declared length,
 * Host, Origin, then who asks, then the body (counted while it arrives), and only then its parsing.
 */
export function createApp(given: AppPorts, extension: McpExtension | null = null): EdgeApp {
  const servers = createServers(given)
  const ports: AppPorts =
    servers === undefined ? given : { ...given, authenticator: alsoAdmitting(given.authenticator, servers.verify) }
  const toolsets = createToolsets()
  const sessions = new McpSessions(ports.clock)
  // No more than there are workspaces in which somebody has a role.
  const endpoints = new Map<OpenWorkspace, McpEndpoint>()
  const endpointOf = (workspace: OpenWorkspace): McpEndpoint => {
    const known = endpoints.get(workspace) ?? createMcpEndpoint({ ...ports, workspace }, sessions, extension)
    endpoints.set(workspace, known)
    return known
  }
  const authenticate = limitCallers(ports.authenticator, ports.clock)
  const app = new Hono<EdgeBindings>()

  /** Where clients learn how to get a token; undefined where nobody issues any. */
  const resourceMetadata = (request: Request): string | undefined =>
    servers === undefined
      ? undefined
      : `${requestOrigin(request.headers, ports.signIn?.publicOrigin ?? null)}/.well-known/oauth-protected-resource/mcp`

  function refuse(error: unknown, request: Request): Response {
    const refusal = toRefusal(error, crypto.randomUUID(), ports.log)
    const hadToken = request.headers.has('authorization')
    // Only then has the Host been looked at, of which the challenge is made.
    const challenge =
      refusal.code === 'unauthenticated' ? unauthenticatedChallenge(refusal, hadToken, resourceMetadata(request)) : ''
    return toErrorResponse(refusal, isMcp(new URL(request.url).pathname) ? 'mcp' : 'plain', challenge)
  }

  app.get('/healthz', async (context) => {
    const [registry, nats] = await Promise.all([ports.registry.ping(), ports.bus.ping()])
    return context.json(
      { status: registry ? 'ok' : 'failing', registry, nats, version: ports.version },
      registry ? 200 : 503,
    )
  })

  app.all('/mcp', async (context) => {
    const request = context.req.raw
    const principal = await authenticate(request, context.env.address)
    const { subject, scopes, credential } = principal
    const caller = { subject }
    const mcp = endpointOf(openWorkspace(principal, ports.workspace))
    const toolset = toolsets.select(context.req.query('tools') ?? null)
    if (request.method !== 'POST') return mcp.other(request, { caller })
    const unsupported = unsupportedMedia(request.headers)
    if (unsupported !== undefined) return jsonRpcError(415, TRANSPORT_ERROR, unsupported)
    const json = parseJson(await readBody(request))
    if (!json.ok) {
      return json.problem === 'not_json'
        ? jsonRpcError(400, PARSE_ERROR, 'Parse error: the body is not JSON in UTF-8')
        : jsonRpcError(400, INVALID_REQUEST, 'Invalid Request: nested too deeply')
    }
    return mcp.post(request, json.value, {
      caller,
      credential,
      scopes,
      toolset,
      requestId: crypto.randomUUID(),
      resourceMetadata: resourceMetadata(request),
    })
  })

  if (ports.signIn !== undefined) {
    app.route('/auth', createAuthRoutes(ports, ports.signIn))
    if (servers !== undefined) app.route('/', createOAuthRoutes(ports, ports.signIn, servers))
  }

  app.get('/', (context) => context.redirect('/orchestrator'))
  app.get('/orchestrator', async () => {
    const page = await ports.assets.find('/web/index.html')
    if (page === undefined) {
      throw new AppError('unavailable', 'Cannot show the page: it has not been built', { hint: 'Run npm run setup' })
    }
    return toPageResponse(page)
  })
  app.get('/web/assets/:name', async (context) => {
    const asset = await ports.assets.find(context.req.path)
    return asset === undefined ? context.notFound() : toAssetResponse(asset, context.req.raw)
  })

  app.notFound((context) => {
    const path = context.req.path.slice(0, 100)
    const refusal = new AppError('not_found', `Cannot find "${path}": there is no such address`, {
      hint: 'The MCP endpoint is /mcp',
    })
    return toErrorResponse(refusal, 'plain', '')
  })

  app.onError((error, context) => {
    return refuse(error, context.req.raw)
  })

  return {
    async fetch(request, address = 'unknown') {
      let response: Response
      try {
        checkDeclaredLength(request.headers)
        checkHostAndOrigin(request.headers, ports.hostnames)
        response = await app.fetch(request, { address })
      } catch (error) {
        response = refuse(error, request)
      }
      response.headers.set('x-content-type-options', 'nosniff')
      // Streams say `no-cache, no-transform` of themselves; nothing but the parts of the page may be kept by anybody.
      if (!response.headers.get('cache-control')?.includes('immutable')) {
        response.headers.set(
          'cache-control',
          response.headers.has('x-accel-buffering') ? 'no-store, no-transform' : 'no-store',
        )
      }
      return response
    },
    close: async () => {
      await Promise.all([sessions, ...endpoints.values()].map((part) => part.close()))
    },
  }
}

function createServers({ signIn, clock, log }: AppPorts): AuthorizationServers | undefined {
  if (signIn?.oauth === undefined) return undefined
  const { accounts, publicOrigin, oauth: library } = signIn
  return createAuthorizationServers({ library, accounts, publicOrigin, clock, log })
}

const isMcp = (path: string): boolean => path === '/mcp'
