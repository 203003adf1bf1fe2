import {
  createMcpHandler,
  type McpRequestContext,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  SUPPORTED_PROTOCOL_VERSIONS,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { Caller } from '#shared/protocol/envelope.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { findJobTool, findTool } from '#shared/tools/catalogue.ts'
import { sha256Hex } from '../crypto.ts'
import {
  INVALID_REQUEST,
  type JsonRpcId,
  jsonRpcError,
  TRANSPORT_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../http/json-rpc.ts'
import { createOpenLimit } from '../http/open-limit.ts'
import { cancelCall } from '../jobs/submit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { createToolCaller, createToolRunner } from './call-tool.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { createReading } from './reading.ts'
import { checkTraceparent, refuseRequestState } from './request-checks.ts'
import type { Toolset } from './toolset.ts'

/** The first revision without sessions. What came before is served from the same code. */
const MODERN_REVISION = '2026-07-28'
const supportedVersions: readonly string[] = [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS]

/** For lists that change with the program only. Private: what a caller sees may depend on who it is. */
const LIST_HINT = { ttlMs: 5 * 60_000, cacheScope: 'private' } as const

/** Nobody reads it; nginx's number for a client that left. */
const CLIENT_CLOSED_REQUEST = 499

/** A client opens one subscription and keeps it. What opens more than this in a minute is broken or hostile. */
const LISTENS_MAX = 60
const LISTENS_WINDOW_MS = 60_000

const SESSION_HEADER = 'mcp-session-id'

export interface McpCaller {
  readonly caller: Caller
  readonly toolset: Toolset
  readonly requestId: string
}

export interface McpEndpoint {
  /** Answers one authenticated POST whose body has been parsed. */
  post(request: Request, body: unknown, caller: McpCaller): Promise<Response>
  /** Answers what is no POST: the protocol has no GET stream and no sessions to delete here. */
  other(request: Request): Promise<Response>
  close(): Promise<void>
}

/**
 * The MCP endpoint for both eras of the protocol, without state: each request meets a fresh server object of the SDK,
 * which costs little because all that is listed has been made before.
 */
export function createMcpEndpoint(ports: EdgePorts): McpEndpoint {
  const runTool = createToolRunner(ports)
  const callTool = createToolCaller(runTool, ports.log)
  const serveReading = createReading(ports, runTool)
  const scopes = new WeakMap<Request, Scope>()
  const listens = createOpenLimit(LISTENS_MAX, LISTENS_WINDOW_MS, ports.clock)
  const serverInfo = { name: 'millwright', title: 'Millwright', version: ports.version }
  const options = {
    // Nothing about changes of lists or resources: that needs a bus on which they are told.
    capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
    cacheHints: {
      'tools/list': LIST_HINT,
      'prompts/list': LIST_HINT,
      'resources/templates/list': LIST_HINT,
    },
    // We never ask a client for input, so nothing ever validates an answer to it; the default builds one per request.
    jsonSchemaValidator: { getValidator: neverValidates },
  } as const

  const factory = ({ era, requestInfo }: McpRequestContext): Server => {
    const scope = requestInfo === undefined ? undefined : scopes.get(requestInfo)
    if (requestInfo === undefined || scope === undefined)
      throw new Error('An MCP request came by another way than post()')
    const server = new Server(serverInfo, { ...options, instructions: scope.toolset.instructions })
    server.setRequestHandler('tools/list', () => scope.toolset.list)
    // The general handler and only for this method: `setRequestHandler` would have the SDK parse call and result with
    // schemas of its own, three times, where ours say more.
    if (scope.message.method === 'tools/call') {
      server.fallbackRequestHandler = (_request, context) => answerCall(scope, era, requestInfo, context)
    } else {
      serveReading(server, scope)
    }
    return server
  }

  async function answerCall(scope: Scope, era: 'legacy' | 'modern', request: Request, context: ServerContext) {
    const { mcpReq } = context
    // As they were sent: the SDK's copy may lack names like __proto__, and what we do not know we refuse.
    const { name, arguments: args = {} } = paramsOf(scope.message)
    if (typeof name !== 'string' || typeof args !== 'object' || args === null || Array.isArray(args)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid params: a name, and an object of arguments')
    }
    refuseRequestState(context)
    checkTraceparent(context)
    const tool = scope.toolset.names.has(name) ? findTool(name) : undefined
    if (tool === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name.slice(0, 64)}`)
    const session = era === 'legacy' && tool.place === 'job' ? request.headers.get(SESSION_HEADER) : null
    return callTool(tool, args, {
      caller: scope.caller,
      requestId: scope.requestId,
      signal: mcpReq.signal,
      callKey: session === null ? null : await toCallKey(scope.caller, session, mcpReq.id),
      onProgress: progressReporter(context),
    })
  }

  const onerror = (error: Error) => ports.log.info('MCP request refused', { reason: error.message.slice(0, 300) })
  const short = createMcpHandler(factory, { onerror })
  // Calls that wait answer as a stream from the start: comments on it keep proxies from cutting a silent connection, and
  // some runtimes notice that a client has gone only when they write. It costs more than plain JSON, so not for all.
  const long = createMcpHandler(factory, { onerror, responseMode: 'sse' })

  async function serve(request: Request, message: JsonRpcMessage): Promise<Response> {
    if (waits(message)) return long.fetch(request, { parsedBody: message })
    if (isPlainlyLegacy(request.headers, message)) return serveLegacyAsJson(factory, request, message)
    return short.fetch(request, { parsedBody: message })
  }

  return {
    async post(request, body, caller) {
      if (!isMessage(body)) {
        return jsonRpcError(400, INVALID_REQUEST, 'Invalid Request: one JSON-RPC 2.0 message per request, no batches')
      }
      const message = body
      const problem = refuseVersion(request.headers, message)
      if (problem !== undefined) return problem
      if (message.method === 'subscriptions/listen') {
        const waitMs = listens.tryOpen(caller.caller.subject)
        if (waitMs !== null) {
          return jsonRpcError(
            429,
            TRANSPORT_ERROR,
            `Cannot listen: more than ${LISTENS_MAX} subscriptions in a minute`,
            {
              id: idOf(message),
              data: { code: 'rate_limited', retry_after_ms: waitMs },
              headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
            },
          )
        }
      }
      scopes.set(request, { ...caller, message })
      if (message.method === 'notifications/cancelled') {
        await cancelByRequestId(ports, request, message, caller)
      }
      const response = await serve(request, message)
      if (message.method === 'initialize' && response.status === 200) {
        // Nothing is kept for it: it only lets a cancellation, which is another request, name the call that it means.
        response.headers.set(SESSION_HEADER, crypto.randomUUID())
      }
      return response
    },
    other: (request) => short.fetch(request),
    close: async () => {
      await Promise.all([short.close(), long.close()])
    },
  }
}

interface Scope extends McpCaller {
  readonly message: JsonRpcMessage
}

/**
 * True for what shows no sign of the newer era. The handler decides about all the rest; its own test is exact, and costs
 * as much as serving the call.
 */
function isPlainlyLegacy(headers: Headers, message: JsonRpcMessage): boolean {
  const { _meta: meta } = paramsOf(message)
  const claims = typeof meta === 'object' && meta !== null && PROTOCOL_VERSION_META_KEY in meta
  return !claims && headers.get('mcp-protocol-version') !== MODERN_REVISION && !headers.has('mcp-method')
}

/**
 * What the handler does for a client of the older era, but as one JSON body where it would open a stream: a stream for a
 * short answer costs half as much again.
 */
async function serveLegacyAsJson(
  factory: (context: McpRequestContext) => Server,
  request: Request,
  message: JsonRpcMessage,
): Promise<Response> {
  const server = factory({ era: 'legacy', requestInfo: request })
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  const gone = Promise.withResolvers<Response>()
  const onAbort = () => gone.resolve(new Response(null, { status: CLIENT_CLOSED_REQUEST }))
  request.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([transport.handleRequest(request, { parsedBody: message }), gone.promise])
  } finally {
    request.signal.removeEventListener('abort', onAbort)
    await server.close()
  }
}

/** The outline of a message. The SDK reads the rest, but answers some of what is none with another code. */
function isMessage(body: unknown): body is JsonRpcMessage {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  const isRequest = 'method' in body && typeof body.method === 'string'
  return 'jsonrpc' in body && body.jsonrpc === '2.0' && (isRequest || 'result' in body || 'error' in body)
}

function refuseVersion(headers: Headers, message: JsonRpcMessage): Response | undefined {
  const version = headers.get('mcp-protocol-version')
  if (version !== null && !supportedVersions.includes(version)) {
    return jsonRpcError(400, UNSUPPORTED_PROTOCOL_VERSION, 'Unsupported protocol version', {
      id: idOf(message),
      data: { supported: supportedVersions, requested: version.slice(0, 64) },
    })
  }
  return undefined
}

const idOf = ({ id }: JsonRpcMessage): JsonRpcId => (typeof id === 'string' || typeof id === 'number' ? id : null)

function waits(message: JsonRpcMessage): boolean {
  const { name } = message.method === 'tools/call' ? paramsOf(message) : {}
  return typeof name === 'string' && (name === 'get_job' || findJobTool(name) !== undefined)
}

async function cancelByRequestId(ports: EdgePorts, request: Request, message: JsonRpcMessage, { caller }: McpCaller) {
  const session = request.headers.get(SESSION_HEADER)
  const { requestId } = paramsOf(message)
  if (session === null || (typeof requestId !== 'string' && typeof requestId !== 'number')) return
  try {
    await cancelCall(ports, await toCallKey(caller, session, requestId))
  } catch (error) {
    // A notification has no answer in which a failure could be told.
    ports.log.error('Cannot cancel a call', error)
  }
}

/** A session id is anyone's to claim; together with the subject it reaches nobody else's calls. */
function toCallKey(caller: Caller, session: string, requestId: string | number): Promise<string> {
  return sha256Hex(JSON.stringify([caller.subject, session, requestId]))
}

/** Reports to the client's progress token, in numbers that grow as the protocol demands: seconds of this call. */
function progressReporter({ mcpReq }: ServerContext): ((progress: JobProgress) => void) | null {
  const token = mcpReq._meta?.progressToken
  if (token === undefined) return null
  const startedAt = Date.now()
  let last = 0
  return ({ message }) => {
    last = Math.max(last + 0.001, (Date.now() - startedAt) / 1000)
    const params = { progressToken: token, progress: last, message }
    // The client may have gone; its call's signal says so to whoever waits.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }
}

function neverValidates(): never {
  throw new Error('No client is ever asked for input')
}
