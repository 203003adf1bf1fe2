import { createMcpHandler, type McpRequestContext, Server, type ServerContext } from '@modelcontextprotocol/server'
import { createOpenLimit } from '../http/open-limit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { createMcpAnswers, SESSION_HEADER, waits } from './answers.ts'
import { createToolRunner } from './call-tool.ts'
import type { McpCaller, Received } from './caller.ts'
import type { McpExtension } from './extension.ts'
import { callTaskTool, findExtensionTool, serveExtensionTools } from './extension-tools.ts'
import { serveLegacyAsJson } from './legacy-json.ts'
import type { JsonRpcMessage } from './message.ts'
import {
  isMessage,
  isPlainlyLegacy,
  refuseEndedSession,
  refuseListen,
  refuseNoMessage,
  refuseScope,
  refuseTaskHeader,
  refuseVersion,
} from './message-refusals.ts'
import { createReading } from './reading.ts'
import type { McpSession, McpSessions } from './sessions.ts'
import { ShortCalls } from './short-calls.ts'
import { isTaskMethod, TaskParams, tasksCapability } from './tasks.ts'

/** For lists that change with the program only. Private: what a caller sees may depend on who it is. */
const LIST_HINT = { ttlMs: 5 * 60_000, cacheScope: 'private' } as const

/** A client opens one subscription and keeps it. What opens more than this in a minute is broken or hostile. */
const LISTENS_MAX = 60
const LISTENS_WINDOW_MS = 60_000

/** Bytes on the stream of a call that waits. One runtime notices only by writing that a client has gone. */
const KEEP_ALIVE_MS = 1000

export interface McpEndpoint {
  /** Answers one authenticated POST whose body has been parsed. */
  post(request: Request, body: unknown, caller: McpCaller): Promise<Response>
  /** Answers what is no POST: a session's stream of messages, and its end. There is none without a session. */
  other(request: Request, caller: Pick<McpCaller, 'caller'>): Promise<Response>
  /** The sessions are left to whoever made them. */
  close(): Promise<void>
}

/**
 * The MCP endpoint of one workspace, for both eras of the protocol. Each request meets a fresh server object of the SDK, which
 * costs little because all that is listed has been made before; only what asks a client of the older era something has a
 * session.
 */
export function createMcpEndpoint(
  ports: EdgePorts,
  sessions: McpSessions,
  extension: McpExtension | null = null,
): McpEndpoint {
  const runTool = createToolRunner(ports)
  const answers = createMcpAnswers(ports, runTool, extension === null ? [] : [extension.tasks])
  const serveReading = createReading(ports, runTool)
  const received = new WeakMap<Request, Received>()
  const listens = createOpenLimit(LISTENS_MAX, LISTENS_WINDOW_MS, ports.clock)
  const serverInfo = { name: 'millwright', title: 'Millwright', version: ports.version }
  const shortCalls = new ShortCalls(answers, serverInfo)
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
    cacheHints: {
      'tools/list': LIST_HINT,
      'prompts/list': LIST_HINT,
      'resources/templates/list': LIST_HINT,
    },
    // We never ask a client for input, so nothing ever validates an answer to it; the default builds one per request.
    ...(extension === null ? { jsonSchemaValidator: { getValidator: neverValidates } } : {}),
  }

  const extensionTools = [...(extension?.tools.values() ?? [])].map(({ listed }) => listed)
  const listTools = ({ toolset }: Received) =>
    extensionTools.length === 0 ? toolset.list : { tools: [...toolset.list.tools, ...extensionTools] }

  function receivedWith(request: Request | undefined): Received {
    const found = request === undefined ? undefined : received.get(request)
    if (found === undefined) throw new Error('An MCP request came by another way than post()')
    return found
  }

  /** Gives a server the handler of one method. */
  function register(server: Server, method: unknown, requestOf: (context: ServerContext) => Request | undefined): void {
    if (typeof method === 'string' && extension?.methods.has(method)) extension.register(server, method)
    else serveReading(server, method, (context) => receivedWith(requestOf(context)))
  }

  const factory = ({ era, requestInfo }: McpRequestContext): Server => {
    const current = receivedWith(requestInfo)
    const server = new Server(serverInfo, { ...options, instructions: current.toolset.instructions })
    server.setRequestHandler('tools/list', () => listTools(current))
    const { method } = current.message
    const extensionTool = findExtensionTool(extension, current)
    // The general handler: `setRequestHandler` would have the SDK parse call and result with schemas of its own, three
    // times, where ours say more; and it knows no tasks.
    if (era === 'modern' && isTaskMethod(method)) {
      // With a schema it is a method of an extension; without, the SDK takes it for one of 2025-11-25.
      server.setRequestHandler(method, { params: TaskParams }, (params, context) =>
        answers.task(current, method, params, context),
      )
    } else if (era === 'modern' && extensionTool?.mayBeTask) {
      server.fallbackRequestHandler = (_request, context) => callTaskTool(extensionTool, current, context, server)
    } else if (extensionTool !== undefined) {
      serveExtensionTools(server, extension, () => current)
    } else if (method === 'tools/call') {
      server.fallbackRequestHandler = async (_request, context) => {
        const result = await answers.call(current, era, requestInfo, context)
        if (requestInfo !== undefined) shortCalls.learn(requestInfo.headers, current)
        return result
      }
    } else {
      register(server, method, () => requestInfo)
    }
    return server
  }

  /** A server that outlives its message, for a client of the older era. */
  function createSessionServer({ toolset }: Received): Server {
    const server = new Server(serverInfo, { ...options, instructions: toolset.instructions })
    const requestOf = ({ http }: ServerContext) => http?.req
    server.setRequestHandler('tools/list', (_request, context) => listTools(receivedWith(requestOf(context))))
    serveExtensionTools(server, extension, (context) => receivedWith(requestOf(context)))
    for (const method of extension?.methods ?? []) register(server, method, requestOf)
    return server
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
      if (findExtensionTool(extension, { message }) === undefined) return serveLegacyAsJson(factory, request, message)
    }
    return short.fetch(request, { parsedBody: message })
  }

  const holderOf = ({ caller: { subject } }: Pick<McpCaller, 'caller'>) => ({ subject, workspace: ports.workspace })

  /** The session that a message belongs to, where it needs one: all else is served without, and faster. */
  async function findSession(request: Request, message: JsonRpcMessage): Promise<McpSession | null> {
    const holder = holderOf(receivedWith(request))
    if (!ports.requestsShareState) return null
    if (message.method === 'initialize') return sessions.open(holder, createSessionServer(receivedWith(request)))
    const needsOne =
      message.method === undefined ||
      String(message.method).startsWith('notifications/') ||
      extension?.methods.has(String(message.method)) === true ||
      findExtensionTool(extension, { message }) !== undefined
    return needsOne ? sessions.find(request.headers.get(SESSION_HEADER), holder) : null
  }

  const refuseEnded = (headers: Headers, message: JsonRpcMessage): Response | undefined =>
    message.method !== 'initialize' && sessions.hasEnded(headers.get(SESSION_HEADER))
      ? refuseEndedSession(message)
      : undefined

  function refuseFlood(message: JsonRpcMessage, { caller }: McpCaller): Response | undefined {
    const waitMs = message.method === 'subscriptions/listen' ? listens.tryOpen(caller.subject) : null
    return waitMs === null ? undefined : refuseListen(message, LISTENS_MAX, waitMs)
  }

  return {
    async post(request, body, caller) {
      if (!isMessage(body)) return refuseNoMessage()
      const message = body
      const problem =
        refuseVersion(request.headers, message) ??
        refuseTaskHeader(request.headers, message) ??
        refuseEnded(request.headers, message) ??
        refuseScope(message, caller) ??
        refuseFlood(message, caller)
      if (problem !== undefined) return problem
      const current = { ...caller, message }
      const answered = await shortCalls.serve(request, current)
      if (answered !== undefined) return answered
      received.set(request, current)
      if (message.method === 'notifications/cancelled') await answers.cancel(request, message, caller)
      const response = await serve(request, message)
      if (message.method === 'initialize' && response.status === 200 && !response.headers.has(SESSION_HEADER)) {
        // Nothing is kept for it: it only lets a cancellation, which is another request, name the call that it means.
        response.headers.set(SESSION_HEADER, crypto.randomUUID())
      }
      return response
    },
    async other(request, caller) {
      const session = sessions.find(request.headers.get(SESSION_HEADER), holderOf(caller))
      return session === null ? short.fetch(request) : session.transport.handleRequest(request)
    },
    close: async () => {
      await Promise.all([short.close(), long.close()])
    },
  }
}

function neverValidates(): never {
  throw new Error('No client is ever asked for input')
}
