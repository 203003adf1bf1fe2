import {
  createMcpHandler,
  type JsonSchemaValidator,
  type McpRequestContext,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { createOpenLimit } from '../http/open-limit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { SessionSender } from '../ports/session-host.ts'
import type { SubscriptionMemory } from '../ports/subscription-memory.ts'
import { createMcpAnswers, mayAsk, SESSION_HEADER, waits } from './answers.ts'
import { askBySession } from './asking.ts'
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
import { type McpSessions, STREAM_KEEP_ALIVE_MS } from './sessions.ts'
import { ShortCalls } from './short-calls.ts'
import { createSubscriptions, subscribableResources, subscribingMethods } from './subscriptions.ts'
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
  other(request: Request, caller: McpCaller): Promise<Response>
  /**
   * Answers in the session that the request names or, for `initialize`, in a new one; null where the caller has no such
   * session. `message` is null for what is no POST. For a process that holds sessions for others.
   */
  inSession(request: Request, message: JsonRpcMessage | null, caller: McpCaller): Promise<Response | null>
  /** The sessions are left to whoever made them. */
  close(): Promise<void>
}

/**
 * The MCP endpoint of one workspace, for both eras of the protocol. Each request meets a fresh server object of the SDK, which
 * costs little because all that is listed has been made before; only what asks a client of the older era something has a
 * session. `memory` is for a process that holds a single one.
 */
export function createMcpEndpoint(
  ports: EdgePorts,
  sessions: McpSessions,
  extension: McpExtension | null = null,
  memory: SubscriptionMemory | null = null,
): McpEndpoint {
  const runTool = createToolRunner(ports)
  const answers = createMcpAnswers(ports, runTool, extension === null ? [] : [extension.tasks])
  const serveReading = createReading(ports, runTool)
  const received = new WeakMap<Request, Received>()
  const listens = createOpenLimit(LISTENS_MAX, LISTENS_WINDOW_MS, ports.clock)
  const serverInfo = { name: 'millwright', title: 'Millwright', version: ports.version }
  const shortCalls = new ShortCalls(answers, serverInfo)
  const options = {
    capabilities: {
      tools: {},
      resources: subscribableResources,
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
    // An answer to what we ask is read where it is used; the default builds a validator for each request.
    ...(extension === null ? { jsonSchemaValidator: { getValidator: takeAsItCame } } : {}),
  }

  /** For a client of the older era without a session, whom nothing can be told. */
  const silentOptions = {
    ...options,
    capabilities: { ...options.capabilities, resources: extension?.capabilities.resources ?? {} },
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
    const offered = era === 'modern' ? options : silentOptions
    const server = new Server(serverInfo, { ...offered, instructions: current.toolset.instructions })
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
    const callOther = (context: ServerContext) => {
      const request = requestOf(context)
      return answers.call(receivedWith(request), 'legacy', request, context, askBySession(server, context))
    }
    serveExtensionTools(server, extension, (context) => receivedWith(requestOf(context)), callOther)
    subscriptions.serveSession(server, memory)
    for (const method of extension?.methods ?? []) register(server, method, requestOf)
    return server
  }

  const onerror = (error: Error) => ports.log.info('MCP request refused', { reason: error.message.slice(0, 300) })
  const short = createMcpHandler(factory, { onerror, keepAliveMs: STREAM_KEEP_ALIVE_MS })
  // Calls that wait answer as a stream from the start: comments on it keep proxies from cutting a silent connection, and
  // some runtimes notice that a client has gone only when they write. It costs more than plain JSON, so not for all.
  const subscriptions = createSubscriptions(ports, factory, onerror)
  const long = createMcpHandler(factory, { onerror, responseMode: 'sse', keepAliveMs: KEEP_ALIVE_MS })

  async function serve(request: Request, message: JsonRpcMessage): Promise<Response> {
    if (message.method === 'subscriptions/listen' && !isPlainlyLegacy(request.headers, message)) {
      return subscriptions.listen(request, message, receivedWith(request))
    }
    if (waits(message)) return long.fetch(request, { parsedBody: message })
    if (isPlainlyLegacy(request.headers, message)) {
      const answer = needsSession(message) ? await inSession(request, message, receivedWith(request)) : null
      if (answer !== null) return answer
      if (findExtensionTool(extension, { message }) === undefined) return serveLegacyAsJson(factory, request, message)
    }
    return short.fetch(request, { parsedBody: message })
  }

  const holderOf = ({ caller: { subject } }: McpCaller) => ({ subject, workspace: ports.workspace })

  /** Whether a message of the older era belongs to a session: all else is served without, and faster. */
  const needsSession = (message: JsonRpcMessage): boolean =>
    message.method === undefined ||
    message.method === 'initialize' ||
    String(message.method).startsWith('notifications/') ||
    mayAsk(message) ||
    subscribingMethods.includes(String(message.method)) ||
    extension?.methods.has(String(message.method)) === true ||
    findExtensionTool(extension, { message }) !== undefined

  async function inSession(
    request: Request,
    message: JsonRpcMessage | null,
    caller: McpCaller,
  ): Promise<Response | null> {
    if (ports.sessions !== undefined) {
      return ports.sessions.serve(request, { workspace: ports.workspace, sender: toSender(caller), message })
    }
    if (message !== null) received.set(request, { ...caller, message })
    const session =
      message?.method === 'initialize'
        ? await sessions.open(holderOf(caller), createSessionServer(receivedWith(request)))
        : sessions.find(request.headers.get(SESSION_HEADER), holderOf(caller))
    if (session === null) return null
    const answer = await session.transport.handleRequest(request, message === null ? {} : { parsedBody: message })
    // Only a GET opens a stream that outlasts what it answers.
    return message === null ? sessions.follow(session, answer, request.signal) : answer
  }

  async function refuseEnded(
    headers: Headers,
    message: JsonRpcMessage | null,
    caller: McpCaller,
  ): Promise<Response | undefined> {
    const id = message?.method === 'initialize' ? null : headers.get(SESSION_HEADER)
    const hasEnded = id !== null && (await (ports.sessions ?? sessions).hasEnded(id, holderOf(caller)))
    return hasEnded ? refuseEndedSession(message) : undefined
  }

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
        (await refuseEnded(request.headers, message, caller)) ??
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
      if (!request.headers.has(SESSION_HEADER)) return short.fetch(request)
      const answer = (await refuseEnded(request.headers, null, caller)) ?? (await inSession(request, null, caller))
      return answer === null ? short.fetch(request) : subscriptions.guardSession(answer, caller)
    },
    inSession,
    close: async () => {
      await Promise.all([short.close(), long.close(), subscriptions.close()])
    },
  }
}

const toSender = ({ toolset, resourceMetadata, caller, credential, scopes, requestId }: McpCaller): SessionSender => ({
  ...{ caller, credential, scopes, requestId, tools: toolset.selector },
  ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
})

const takeAsItCame =
  <T>(): JsonSchemaValidator<T> =>
  (input) => ({ valid: true, data: input as T, errorMessage: undefined })
