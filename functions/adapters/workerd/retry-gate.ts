import type { Clock } from '../../ports/clock.ts'

/** What passes between two tries while an object cannot be reached. */
const RETRY_MS = 5000

/**
 * Lets many who want the same object try again without a rush: while it cannot be reached, one of them tries at a time, and
 * the others follow once that has succeeded. Nothing but numbers, so that requests may share it.
 */
export class RetryGate {
  readonly #clock: Clock
  #isFailing = false
  #closedUntil = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the asker may try now. Whoever may must say how it went. */
  mayTry(): boolean {
    if (!this.#isFailing) return true
    if (this.#clock.now() < this.#closedUntil) return false
    this.#close()
    return true
  }

  succeeded(): void {
    this.#isFailing = false
  }

  failed(): void {
    this.#isFailing = true
    this.#close()
  }

  #close(): void {
    this.#closedUntil = this.#clock.now() + RETRY_MS
  }
}
