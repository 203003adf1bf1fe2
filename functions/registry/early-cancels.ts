import type { WorkspaceId } from '#shared/ids.ts'
import type { Clock } from '../ports/clock.ts'

/** A call and its cancellation are two requests of one moment; a minute apart they would have met a job. */
const KEPT_MS = 60_000
const KEPT_MAX = 1000

/** Calls that were cancelled before they came: on a busy machine one request overtakes the other. Kept in memory only. */
export class EarlyCancels {
  readonly #clock: Clock
  /** When each was noted, the oldest first. */
  readonly #notedAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(workspace: WorkspaceId, callKey: string): void {
    const [oldest] = this.#notedAt.keys()
    if (this.#notedAt.size >= KEPT_MAX && oldest !== undefined) this.#notedAt.delete(oldest)
    this.#notedAt.set(`${workspace} ${callKey}`, this.#clock.now())
  }

  /** Whether this call was cancelled. It is forgotten then. */
  take(workspace: WorkspaceId, callKey: string): boolean {
    const key = `${workspace} ${callKey}`
    const notedAt = this.#notedAt.get(key)
    this.#notedAt.delete(key)
    return notedAt !== undefined && this.#clock.now() - notedAt <= KEPT_MS
  }
}
