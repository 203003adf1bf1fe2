import type { WorkspaceId } from '#shared/ids.ts'
import type { Clock } from '../ports/clock.ts'

/** A call and its cancellation are two requests of one moment; a minute apart they would have met a job. */
const KEPT_MS = 60_000
/** In one workspace: beyond it the oldest is forgotten. */
const KEPT_MAX = 1000

/**
 * Calls that were cancelled before they came: on a busy machine one request overtakes the other. Kept in memory only, for
 * each workspace by itself: what one cancels neither reaches nor crowds out what another does.
 */
export class EarlyCancels {
  readonly #clock: Clock
  /** By workspace when each was noted, the oldest first. */
  readonly #notedAt = new Map<WorkspaceId, Map<string, number>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(workspace: WorkspaceId, callKey: string): void {
    this.#forgetOld()
    const own = this.#notedAt.get(workspace) ?? new Map<string, number>()
    this.#notedAt.set(workspace, own)
    // Noted again it is the newest.
    own.delete(callKey)
    const [oldest] = own.keys()
    if (own.size >= KEPT_MAX && oldest !== undefined) own.delete(oldest)
    own.set(callKey, this.#clock.now())
  }

  /** Whether this call was cancelled. It is forgotten then. */
  take(workspace: WorkspaceId, callKey: string): boolean {
    const own = this.#notedAt.get(workspace)
    const notedAt = own?.get(callKey)
    own?.delete(callKey)
    if (own?.size === 0) this.#notedAt.delete(workspace)
    return notedAt !== undefined && this.#isKept(notedAt)
  }

  /** Of every workspace, so that one that is not used any more keeps nothing. */
  #forgetOld(): void {
    for (const [workspace, own] of this.#notedAt) {
      for (const [callKey, notedAt] of own) {
        if (this.#isKept(notedAt)) break
        own.delete(callKey)
      }
      if (own.size === 0) this.#notedAt.delete(workspace)
    }
  }

  #isKept(notedAt: number): boolean {
    return this.#clock.now() - notedAt <= KEPT_MS
  }
}
