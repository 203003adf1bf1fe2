import { AppError } from '#shared/errors.ts'

/** Lets a number of pieces of work run at once; the others wait in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(atOnceMax: number) {
    this.#free = atOnceMax
  }

  /** Rejects with `cancelled`, without having run, where `signal` is aborted while waiting. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw cancelled()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      const place = this.#waiting.indexOf(resolve)
      // Not found: the turn was handed over before the abort, and is ours.
      if (place === -1) return
      this.#waiting.splice(place, 1)
      reject(cancelled())
    }
    this.#waiting.push(resolve)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

const cancelled = (): AppError => new AppError('cancelled', 'Cannot go on: cancelled while waiting for a turn')
