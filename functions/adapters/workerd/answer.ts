import { AppError, type WireError } from '#shared/errors.ts'
import type { Log } from '../../ports/log.ts'

/**
 * What a method of an object answers to another object or request. Errors that are thrown across arrive as plain ones,
 * without code and hint, so refusals travel as data. `fault` is a bug: its message, for the log of whoever asked.
 */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError }
  | { readonly ok: false; readonly fault: string }

/** Does what was asked, in the object. Causes stay here, so they are logged here. */
export async function toAnswer<T>(work: () => Promise<T>, log: Log): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof AppError) {
      if (error.cause !== undefined) log.error(error.message, error)
      return { ok: false, error: error.toWire() }
    }
    log.error('An object failed', error)
    return { ok: false, fault: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * What was answered, for the one who asked: rejects with the refusal as it was, or with a plain error for a bug. `what`
 * names the object, which is `unavailable` where no answer comes: it was moved, or is overloaded.
 */
export async function fromAnswer<T>(what: string, asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await asked
  } catch (cause) {
    throw new AppError('unavailable', `Cannot reach ${what}: no answer came`, { cause, hint: 'Try again in a moment' })
  }
  if (answer.ok) return answer.value
  if ('error' in answer) throw AppError.fromWire(answer.error)
  throw new Error(answer.fault)
}
