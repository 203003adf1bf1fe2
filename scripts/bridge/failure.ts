import { InsufficientScopeError, SdkHttpError, UnauthorizedError } from '@modelcontextprotocol/client'
import { AppError } from '#shared/errors.ts'

/**
 * Why a message was not answered. `unreached`: it never left this machine, so nothing can have been done. `cut`: it was sent and
 * the answer did not come. `forgotten`: the session is not known there any more. `refused`: an answer, and final.
 */
export type Failure =
  | { readonly kind: 'unreached' | 'cut'; readonly reason: string }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'refused'; readonly error: AppError }

/** Before any byte was sent: what the system says of connections that do not come about. */
const unreached = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** A proxy's words for a server that is being restarted. */
const passing = new Set([502, 503, 504])

/** Reads what the HTTP client threw. */
export function toFailure(error: unknown): Failure {
  if (error instanceof SdkHttpError) {
    const { status } = error
    if (status === 404) return { kind: 'forgotten' }
    if (status !== undefined && passing.has(status)) return { kind: 'cut', reason: `HTTP ${status}` }
    return refused(status === 401 ? 'unauthenticated' : 'unavailable', `the endpoint answered HTTP ${status}`, error)
  }
  if (error instanceof UnauthorizedError) return refused('unauthenticated', 'the token is not accepted', error)
  if (error instanceof InsufficientScopeError) {
    return refused('forbidden', error.errorDescription ?? 'the token does not allow it', error)
  }
  const code = findCode(error)
  if (code !== undefined) return { kind: unreached.has(code) ? 'unreached' : 'cut', reason: code }
  const reason = error instanceof Error ? error.message : String(error)
  // `fetch` says so little of a connection that was closed on it.
  return /fetch failed|terminated|other side closed/.test(reason)
    ? { kind: 'cut', reason }
    : refused('unavailable', reason, error)
}

/** What the client is told in the end. */
export function toRefusal(failure: Failure, url: URL, method: string): AppError {
  switch (failure.kind) {
    case 'refused':
      return failure.error
    case 'forgotten':
      return new AppError('not_found', `Cannot find ${url.origin}${url.pathname}: HTTP 404`)
    case 'unreached':
      return new AppError('unavailable', `Cannot reach ${url.origin}: ${failure.reason}`, {
        hint: 'Start Millwright, or correct the address of millwright-mcp',
      })
    case 'cut':
      return new AppError('unavailable', `Cannot tell how ${method} ended: the connection broke (${failure.reason})`, {
        hint: 'It may have been done: look (list_jobs, git_status) before you call again',
      })
  }
}

function refused(code: 'unauthenticated' | 'forbidden' | 'unavailable', reason: string, cause: unknown): Failure {
  return { kind: 'refused', error: new AppError(code, `Cannot call the endpoint: ${reason}`, { cause }) }
}

/** `fetch` hides the system's error below its own. */
function findCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && /^[A-Z][A-Z_]+$/.test(current.code)) {
      return current.code
    }
  }
  return undefined
}
