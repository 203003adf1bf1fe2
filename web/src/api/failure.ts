import { AppError } from '#shared/errors.ts'
import { unreachable } from './server-json.ts'

/** Whatever the MCP client threw as a refusal with a code. What is one already stays as it is. */
export function toAppError(error: unknown, signal?: AbortSignal): AppError {
  const refusal = findRefusal(error)
  if (refusal !== undefined) return refusal
  if (signal?.aborted) return new AppError('cancelled', 'Stopped', { cause: error })
  const { code, status } = Object(error) as { code?: unknown; status?: unknown }
  if (status === 401) return new AppError('unauthenticated', 'The session is over', { hint: 'Sign in again' })
  if (status === 403) return new AppError('forbidden', 'You may not do that here', { cause: error })
  if (status === 429) return new AppError('rate_limited', 'Too many calls at once', { hint: 'Try again in a moment' })
  if (code === 'REQUEST_TIMEOUT') {
    return new AppError('timeout', 'The server took too long to answer', { cause: error, hint: 'Try again' })
  }
  if (error instanceof TypeError || typeof code === 'string' || typeof status === 'number') return unreachable(error)
  const message = error instanceof Error ? error.message : String(error)
  return new AppError(typeof code === 'number' ? 'invalid_input' : 'internal', message, { cause: error })
}

/** The library wraps what its hooks throw. */
function findRefusal(error: unknown): AppError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AppError) return at
  }
  return undefined
}
