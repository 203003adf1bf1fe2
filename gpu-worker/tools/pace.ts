import { setImmediate } from 'node:timers/promises'
import { AppError } from '#shared/errors.ts'

/** Work that goes on for longer holds up other calls, heartbeats and its own deadline. */
const TURN_MS = 20

/**
 * Paces long work between two awaits: call and, where it says so, await it. Lets everything else run every few
 * milliseconds, and then rejects with `timeout` once `signal` is aborted.
 */
export function createPace(action: string, signal: AbortSignal): () => Promise<void> | null {
  let startedAt = performance.now()
  async function pause(): Promise<void> {
    await setImmediate()
    if (signal.aborted) {
      throw new AppError('timeout', `${action}: stopped at the deadline`, { hint: 'Ask for less at once' })
    }
    startedAt = performance.now()
  }
  return () => (performance.now() - startedAt < TURN_MS ? null : pause())
}
