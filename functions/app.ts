import { Hono } from 'hono'
import { AppError } from '#shared/errors.ts'
import { createAdministrationRoutes } from './auth/administration-routes.ts'
import { alsoAdmitting } from './auth/gate.ts'
import { openWorkspace } from './auth/open-workspace.ts'
import { createAuthRoutes } from './auth/routes.ts'
import { isStillAdmitted } from './auth/still-admitted.ts'
import { type AdmittedStream, createEventStreams } from './events/event-streams.ts'
import { unauthenticatedChallenge } from './http/bearer-challenge.ts'
import { checkDeclaredLength, parseJson, readBody, unsupportedMedia } from './http/body.ts'
import { type EdgeBindings, limitCallers } from './http/caller-limits.ts'
import { createCors } from './http/cors.ts'
import { toErrorResponse, toRefusal } from './http/errors.ts'
import { INVALID_REQUEST, jsonRpcError, PARSE_ERROR, TRANSPORT_ERROR } from './http/json-rpc.ts'
import { checkHostAndOrigin } from './http/origin.ts'
import { toAssetResponse, toPageResponse } from './http/page.ts'
import { findRequestOrigin } from './http/request-origin.ts'
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
  /**
   * Decides on a request that wants another protocol: the stream to start on its WebSocket, or the refusal. Never rejects. The
   * entry makes the socket, since each runtime has its own.
   */
  readonly events: (request: Request, address?: string) => Promise<AdmittedStream | Response>
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
  const cors = createCors(ports.pageOrigins ?? [])
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
  const streams = createEventStreams(ports, authenticate)
  const app = new Hono<EdgeBindings>()

  /** Where clients learn how to get a token; undefined where nobody issues any. */
  const resourceMetadata = (request: Request): string | undefined => {
    const origin = findRequestOrigin(request.headers, ports.signIn?.publicOrigin ?? null)
    return servers === undefined || origin === null ? undefined : `${origin}/.well-known/oauth-protected-resource/mcp`
  }

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
    const sender = {
      caller,
      credential,
      scopes,
      toolset: toolsets.select(context.req.query('tools') ?? null),
      requestId: crypto.randomUUID(),
      isStillGood: () => isStillAdmitted(ports.authenticator, request, principal),
      resourceMetadata: resourceMetadata(request),
    }
    if (request.method !== 'POST') return mcp.other(request, sender)
    const unsupported = unsupportedMedia(request.headers)
    if (unsupported !== undefined) return jsonRpcError(415, TRANSPORT_ERROR, unsupported)
    const json = parseJson(await readBody(request))
    if (!json.ok) {
      return json.problem === 'not_json'
        ? jsonRpcError(400, PARSE_ERROR, 'Parse error: the body is not JSON in UTF-8')
        : jsonRpcError(400, INVALID_REQUEST, 'Invalid Request: nested too deeply')
    }
    return mcp.post(request, json.value, sender)
  })

  if (ports.signIn !== undefined) {
    const { administrator } = ports.signIn
    if (administrator !== undefined) {
      app.route('/auth/administration', createAdministrationRoutes(ports, ports.signIn, administrator))
    }
    app.route('/auth', createAuthRoutes(ports, ports.signIn, authenticate))
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

  // A WebSocket comes by `events`; what comes here asks for a page.
  app.get('/events', async (context) => {
    const stream = await streams.admit(context.req.raw, context.env.address)
    stream.abandon()
    throw new AppError('unavailable', 'Cannot answer: this server was given no WebSocket for /events')
  })

  app.notFound((context) => noSuchAddress(context.req.raw))

  app.onError((error, context) => {
    return refuse(error, context.req.raw)
  })

  return {
    async fetch(request, address = 'unknown') {
      let response: Response
      try {
        checkDeclaredLength(request.headers)
        checkHostAndOrigin(request.headers, ports.hostnames, cors.originOf(request) !== null)
        response = cors.preflight(request) ?? (await app.fetch(request, { address }))
      } catch (error) {
        response = refuse(error, request)
      }
      cors.sign(request, response)
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
    async events(request, address = 'unknown') {
      try {
        checkHostAndOrigin(request.headers, ports.hostnames, cors.originOf(request) !== null)
        if (new URL(request.url).pathname !== '/events') return noSuchAddress(request)
        return await streams.admit(request, address)
      } catch (error) {
        return refuse(error, request)
      }
    },
    close: async () => {
      streams.close()
      await Promise.all([sessions, ...endpoints.values()].map((part) => part.close()))
    },
  }
}

function createServers({ signIn, clock, log }: AppPorts): AuthorizationServers | undefined {
  if (signIn?.oauth === undefined) return undefined
  const { accounts, publicOrigin, oauth: library } = signIn
  return createAuthorizationServers({ library, accounts, publicOrigin, clock, log })
}

function noSuchAddress(request: Request): Response {
  const path = new URL(request.url).pathname.slice(0, 100)
  const refusal = new AppError('not_found', `Cannot find "${path}": there is no such address`, {
    hint: 'The MCP endpoint is /mcp',
  })
  return toErrorResponse(refusal, 'plain', '')
}

const isMcp = (path: string): boolean => path === '/mcp'
