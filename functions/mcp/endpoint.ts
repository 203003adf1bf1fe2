import {
  type CallToolResult,
  createMcpHandler,
  type InputRequiredResult,
  type McpRequestContext,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  SUPPORTED_PROTOCOL_VERSIONS,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import * as v from 'valibot'
import type { Caller } from '#shared/protocol/envelope.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { findJobTool, findTool, isJobTool } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
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
import type { ExtensionTool, McpExtension } from './extension.ts'
import { instructions } from './instructions.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { createReading } from './reading.ts'
import { checkTraceparent, refuseRequestState } from './request-checks.ts'
import { type McpSession, McpSessions } from './sessions.ts'
import {
  createJobTasks,
  declaresTasks,
  findHeaderProblem,
  isTaskMethod,
  serveTasks,
  TaskParams,
  type TaskState,
  tasksCapability,
  toCreated,
} from './tasks.ts'
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

/** Bytes on the stream of a call that waits. One runtime notices only by writing that a client has gone. */
const KEEP_ALIVE_MS = 1000

const SESSION_HEADER = 'mcp-session-id'

export interface McpCaller {
  readonly caller: Caller
  readonly toolset: Toolset
  readonly requestId: string
}

export interface McpEndpoint {
  /** Answers one authenticated POST whose body has been parsed. */
  post(request: Request, body: unknown, caller: McpCaller): Promise<Response>
  /** Answers what is no POST: a session's stream of messages, and its end. There is none without a session. */
  other(request: Request, caller: Caller): Promise<Response>
  close(): Promise<void>
}

/**
 * The MCP endpoint for both eras of the protocol. Each request meets a fresh server object of the SDK, which costs little
 * because all that is listed has been made before; only what asks a client of the older era something has a session.
 */
export function createMcpEndpoint(ports: EdgePorts, extension: McpExtension | null = null): McpEndpoint {
  const runTool = createToolRunner(ports)
  const callTool = createToolCaller(runTool, ports.log)
  const serveReading = createReading(ports, runTool)
  const scopes = new WeakMap<Request, Scope>()
  const sessions = new McpSessions(ports.clock)
  const jobTasks = createJobTasks(ports)
  const taskStores = [...(extension === null ? [] : [extension.tasks]), jobTasks]
  const listens = createOpenLimit(LISTENS_MAX, LISTENS_WINDOW_MS, ports.clock)
  const serverInfo = { name: 'millwright', title: 'Millwright', version: ports.version }
  const options = {
    // Nothing about changes of lists or resources: that needs a bus on which they are told.
    capabilities: {
      tools: {},
      resources: {},
      prompts: {},
      completions: {},
      ...tasksCapability,
      ...extension?.capabilities,
    },
    ...(extension?.requestState === undefined ? {} : { requestState: extension.requestState }),
    instructions,
    cacheHints: {
      'tools/list': LIST_HINT,
      'prompts/list': LIST_HINT,
      'resources/templates/list': LIST_HINT,
    },
    // We never ask a client for input, so nothing ever validates an answer to it; the default builds one per request.
    ...(extension === null ? { jsonSchemaValidator: { getValidator: neverValidates } } : {}),
  }

  const extensionTools = [...(extension?.tools.values() ?? [])].map(({ listed }) => listed)
  const listTools = ({ toolset }: Scope) =>
    extensionTools.length === 0 ? toolset.list : { tools: [...toolset.list.tools, ...extensionTools] }

  function scopeOf(request: Request | undefined): Scope {
    const scope = request === undefined ? undefined : scopes.get(request)
    if (scope === undefined) throw new Error('An MCP request came by another way than post()')
    return scope
  }

  /** Gives a server the handler of one method. */
  function register(server: Server, method: unknown, requestOf: (context: ServerContext) => Request | undefined): void {
    if (typeof method === 'string' && extension?.methods.has(method)) extension.register(server, method)
    else serveReading(server, method, (context) => scopeOf(requestOf(context)))
  }

  const factory = ({ era, requestInfo }: McpRequestContext): Server => {
    const scope = scopeOf(requestInfo)
    const server = new Server(serverInfo, options)
    server.setRequestHandler('tools/list', () => listTools(scope))
    const { method } = scope.message
    const extensionTool = findExtensionTool(scope)
    // The general handler: `setRequestHandler` would have the SDK parse call and result with schemas of its own, three
    // times, where ours say more; and it knows no tasks.
    if (era === 'modern' && isTaskMethod(method)) {
      // With a schema it is a method of an extension; without, the SDK takes it for one of 2025-11-25.
      server.setRequestHandler(method, { params: TaskParams }, (params, context) =>
        serveTasks(taskStores, method, params, context),
      )
    } else if (era === 'modern' && extensionTool?.mayBeTask) {
      server.fallbackRequestHandler = (_request, context) => callTaskTool(extensionTool, scope, context, server)
    } else if (extensionTool !== undefined) {
      serveExtensionTools(server, () => requestInfo)
    } else if (method === 'tools/call') {
      server.fallbackRequestHandler = (_request, context) => answerCall(scope, era, requestInfo, context)
    } else {
      register(server, method, () => requestInfo)
    }
    return server
  }

  /** A server that outlives its message, for a client of the older era. */
  function createSessionServer(): Server {
    const server = new Server(serverInfo, options)
    const requestOf = ({ http }: ServerContext) => http?.req
    server.setRequestHandler('tools/list', (_request, context) => listTools(scopeOf(requestOf(context))))
    serveExtensionTools(server, requestOf)
    for (const method of extension?.methods ?? []) register(server, method, requestOf)
    return server
  }

  function findExtensionTool({ message }: Scope): ExtensionTool | undefined {
    const { name } = message.method === 'tools/call' ? paramsOf(message) : {}
    return typeof name === 'string' ? extension?.tools.get(name) : undefined
  }

  async function callTaskTool(tool: ExtensionTool, { message }: Scope, context: ServerContext, server: Server) {
    const { arguments: args } = paramsOf(message)
    const result = await tool.call({ ...Object(args) }, context, server)
    return 'taskId' in result ? toCreated(result as TaskState) : result
  }

  function serveExtensionTools(server: Server, requestOf: (context: ServerContext) => Request | undefined): void {
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const tool = findExtensionTool(scopeOf(requestOf(context)))
      if (tool === undefined)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name.slice(0, 64)}`)
      const result = await tool.call(params.arguments ?? {}, context, server)
      if ('taskId' in result) throw new Error(`${params.name} answers with a task and does not say so`)
      return result as CallToolResult | InputRequiredResult
    })
  }

  async function answerCall(
    scope: Scope,
    era: 'legacy' | 'modern',
    request: Request | undefined,
    context: ServerContext,
  ) {
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
    if (era === 'modern' && isJobTool(tool) && declaresTasks(context))
      return answerWithTask(tool, args, scope, mcpReq.signal)
    const session = era === 'legacy' && tool.place === 'job' ? (request?.headers.get(SESSION_HEADER) ?? null) : null
    return callTool(tool, args, {
      caller: scope.caller,
      requestId: scope.requestId,
      signal: mcpReq.signal,
      callKey: session === null ? null : await toCallKey(scope.caller, session, mcpReq.id),
      onProgress: progressReporter(context),
    })
  }

  /** Long work for a client that knows tasks: it is told at once under which name to ask for the outcome. */
  async function answerWithTask(
    tool: ToolDeclaration,
    args: object,
    { caller, requestId }: Scope,
    signal: AbortSignal,
  ) {
    const call = { caller, requestId, signal, callKey: null, onProgress: null }
    const result = await callTool(tool, { ...args, wait_seconds: 0 }, call)
    const { job_id, state } = v.parse(JobAnswer, result.structuredContent)
    const isOver = result.isError === true || state === 'succeeded'
    const task = isOver || job_id === undefined ? null : await jobTasks.get(job_id)
    return task === null ? result : toCreated(task)
  }

  const onerror = (error: Error) => ports.log.info('MCP request refused', { reason: error.message.slice(0, 300) })
  const short = createMcpHandler(factory, { onerror })
  // Calls that wait answer as a stream from the start: comments on it keep proxies from cutting a silent connection, and
  // some runtimes notice that a client has gone only when they write. It costs more than plain JSON, so not for all.
  const long = createMcpHandler(factory, { onerror, responseMode: 'sse', keepAliveMs: KEEP_ALIVE_MS })

  async function serve(request: Request, message: JsonRpcMessage): Promise<Response> {
    if (waits(message)) return long.fetch(request, { parsedBody: message })
    if (isPlainlyLegacy(request.headers, message)) {
      const session = await findSession(request, message)
      if (session !== null) return session.transport.handleRequest(request, { parsedBody: message })
      if (findExtensionTool(scopeOf(request)) === undefined) return serveLegacyAsJson(factory, request, message)
    }
    return short.fetch(request, { parsedBody: message })
  }

  /** A client that goes on with a session that it has ended itself is told so, and says hello again. */
  function refuseEnded(headers: Headers, message: JsonRpcMessage): Response | undefined {
    const isOver = message.method !== 'initialize' && sessions.hasEnded(headers.get(SESSION_HEADER))
    return isOver
      ? jsonRpcError(404, TRANSPORT_ERROR, 'Session not found: it was ended', { id: idOf(message) })
      : undefined
  }

  /** The session that a message belongs to, where it needs one: all else is served without, and faster. */
  async function findSession(request: Request, message: JsonRpcMessage): Promise<McpSession | null> {
    const { subject } = scopeOf(request).caller
    if (!ports.requestsShareState) return null
    if (message.method === 'initialize') return sessions.open(subject, createSessionServer())
    const needsOne =
      message.method === undefined ||
      String(message.method).startsWith('notifications/') ||
      extension?.methods.has(String(message.method)) === true ||
      findExtensionTool(scopeOf(request)) !== undefined
    return needsOne ? sessions.find(request.headers.get(SESSION_HEADER), subject) : null
  }

  return {
    async post(request, body, caller) {
      if (!isMessage(body)) {
        return jsonRpcError(400, INVALID_REQUEST, 'Invalid Request: one JSON-RPC 2.0 message per request, no batches')
      }
      const message = body
      const problem =
        refuseVersion(request.headers, message) ??
        refuseTaskHeader(request.headers, message) ??
        refuseEnded(request.headers, message)
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
      if (message.method === 'initialize' && response.status === 200 && !response.headers.has(SESSION_HEADER)) {
        // Nothing is kept for it: it only lets a cancellation, which is another request, name the call that it means.
        response.headers.set(SESSION_HEADER, crypto.randomUUID())
      }
      return response
    },
    async other(request, { subject }) {
      const session = sessions.find(request.headers.get(SESSION_HEADER), subject)
      return session === null ? short.fetch(request) : session.transport.handleRequest(request)
    },
    close: async () => {
      await Promise.all([short.close(), long.close(), sessions.close()])
    },
  }
}

/** What a job tool answers with, as far as it matters here; a refusal has neither. */
const JobAnswer = v.object({ job_id: v.optional(v.string()), state: v.optional(v.string()) })

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
      // As `server/discover` says it to those who could ask there.
      data: {
        supported: isPlainlyLegacy(headers, message) ? supportedVersions : [MODERN_REVISION],
        requested: version.slice(0, 64),
      },
    })
  }
  return undefined
}

function refuseTaskHeader(headers: Headers, message: JsonRpcMessage): Response | undefined {
  const problem = isPlainlyLegacy(headers, message) ? null : findHeaderProblem(headers, message)
  return problem === null ? undefined : jsonRpcError(400, problem.code, problem.message, { id: idOf(message) })
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
