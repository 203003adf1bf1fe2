import { PROTOCOL_VERSION_META_KEY, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { type Scope, scopeOfTool } from '#shared/access.ts'
import { findTool } from '#shared/tools/catalogue.ts'
import { insufficientScope } from '../http/bearer-challenge.ts'
import {
  INVALID_REQUEST,
  type JsonRpcId,
  jsonRpcError,
  TRANSPORT_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../http/json-rpc.ts'
import type { McpCaller } from './caller.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { findHeaderProblem, isTaskMethod } from './tasks.ts'

// What a message is refused for before the SDK sees it. Each answers undefined where there is nothing to refuse.

/** The first revision without sessions. What came before is served from the same code. */
const MODERN_REVISION = '2026-07-28'
const supportedVersions: readonly string[] = [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS]

/** The outline of a message. The SDK reads the rest, but answers some of what is none with another code. */
export function isMessage(body: unknown): body is JsonRpcMessage {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  const isRequest = 'method' in body && typeof body.method === 'string'
  return 'jsonrpc' in body && body.jsonrpc === '2.0' && (isRequest || 'result' in body || 'error' in body)
}

export const refuseNoMessage = (): Response =>
  jsonRpcError(400, INVALID_REQUEST, 'Invalid Request: one JSON-RPC 2.0 message per request, no batches')

export const idOf = ({ id }: JsonRpcMessage): JsonRpcId =>
  typeof id === 'string' || typeof id === 'number' ? id : null

/**
 * True for what shows no sign of the newer era. The handler decides about all the rest; its own test is exact, and costs
 * as much as serving the call.
 */
export function isPlainlyLegacy(headers: Headers, message: JsonRpcMessage): boolean {
  const { _meta: meta } = paramsOf(message)
  const claims = typeof meta === 'object' && meta !== null && PROTOCOL_VERSION_META_KEY in meta
  return !claims && headers.get('mcp-protocol-version') !== MODERN_REVISION && !headers.has('mcp-method')
}

export function refuseVersion(headers: Headers, message: JsonRpcMessage): Response | undefined {
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

export function refuseTaskHeader(headers: Headers, message: JsonRpcMessage): Response | undefined {
  const problem = isPlainlyLegacy(headers, message) ? null : findHeaderProblem(headers, message)
  return problem === null ? undefined : jsonRpcError(400, problem.code, problem.message, { id: idOf(message) })
}

export function refuseScope(message: JsonRpcMessage, { scopes, resourceMetadata }: McpCaller): Response | undefined {
  const needed = neededScope(message)
  return scopes.includes(needed) ? undefined : insufficientScope(needed, idOf(message), resourceMetadata)
}

/** A client that goes on with a session that it has ended itself is told so, and says hello again. */
export const refuseEndedSession = (message: JsonRpcMessage | null): Response =>
  jsonRpcError(404, TRANSPORT_ERROR, 'Session not found: it was ended', { id: message === null ? null : idOf(message) })

/** `waitMs` is how long it takes until one more is allowed. */
export const refuseListen = (message: JsonRpcMessage, listensMax: number, waitMs: number): Response =>
  jsonRpcError(429, TRANSPORT_ERROR, `Cannot listen: more than ${listensMax} subscriptions in a minute`, {
    id: idOf(message),
    data: { code: 'rate_limited', retry_after_ms: waitMs },
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  })

/**
 * What a message needs: a tool what its annotations imply, so that a client can tell beforehand; a task, to be ended or given
 * an answer, what `cancel_job` needs; all else reads.
 */
function neededScope(message: JsonRpcMessage): Scope {
  const { method } = message
  const { name } = method === 'tools/call' ? paramsOf(message) : {}
  const actsOnTask = isTaskMethod(method) && method !== 'tasks/get'
  const tool = actsOnTask ? findTool('cancel_job') : typeof name === 'string' ? findTool(name) : undefined
  return tool === undefined ? 'read' : scopeOfTool(tool.annotations)
}
