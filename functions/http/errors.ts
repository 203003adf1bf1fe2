import { AppError, type ErrorCode } from '#shared/errors.ts'
import type { Log } from '../ports/log.ts'
import { INTERNAL_ERROR, jsonRpcError, TRANSPORT_ERROR } from './json-rpc.ts'

// Complete by type: a new code does not compile until someone decides what the client should see.
const httpStatus: Record<ErrorCode, number> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_owner: 403,
  protected_path: 403,
  outside_repository: 403,
  not_found: 404,
  already_exists: 409,
  file_already_managed: 409,
  conflict: 409,
  confirmation_required: 409,
  cancelled: 409,
  too_large: 413,
  context_overflow: 413,
  checks_failed: 422,
  busy: 429,
  rate_limited: 429,
  internal: 500,
  worker_offline: 503,
  model_unavailable: 503,
  repository_busy: 503,
  unavailable: 503,
  timeout: 504,
  disk_full: 507,
}

/**
 * Any thrown value as a refusal that a caller may see. What we did not plan is logged whole under the request's id, and
 * the caller gets that id and nothing else.
 */
export function toRefusal(error: unknown, requestId: string, log: Log): AppError {
  if (error instanceof AppError && error.code !== 'internal') {
    if (error.cause !== undefined) log.error(error.message, error, { request_id: requestId, code: error.code })
    return error
  }
  log.error('Request failed', error, { request_id: requestId })
  return new AppError('internal', 'Cannot complete the call: an internal error occurred', {
    hint: `Report request id ${requestId}; the operator finds the cause in the log`,
    details: { request_id: requestId },
  })
}

/**
 * A refusal of a whole HTTP request. The only place that picks a status. MCP routes answer in JSON-RPC's form. `challenge` is
 * the `WWW-Authenticate` header where the refusal is that nobody knows who asks.
 */
export function toErrorResponse(refusal: AppError, route: 'mcp' | 'plain', challenge: string): Response {
  const status = httpStatus[refusal.code]
  const headers: Record<string, string> = {}
  if (refusal.code === 'unauthenticated') headers['www-authenticate'] = challenge
  const retryAfterMs = refusal.details?.retry_after_ms
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000))
  if (route === 'mcp') {
    const code = refusal.code === 'internal' ? INTERNAL_ERROR : TRANSPORT_ERROR
    return jsonRpcError(status, code, refusal.message, { data: refusal.toWire(), headers })
  }
  return Response.json({ error: refusal.toWire() }, { status, headers })
}
