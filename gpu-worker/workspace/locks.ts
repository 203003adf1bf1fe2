import { AppError } from '#shared/errors.ts'

/** Locks by key, within this process. First come, first served; a key that nobody holds or awaits takes no memory. */
export class KeyedLocks {
  readonly #queues = new Map<string, (() => void)[]>()

  /** Keys that are held now. */
  get size(): number {
    return this.#queues.size
  }

  /**
   * Runs `work` alone under `key`, and resolves or rejects as it does. Rejects with `cancelled`, without having run,
   * where `signal` is aborted while waiting; once it runs, the signal is the work's own affair. Not reentrant.
   */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(key, signal)
    try {
      return await work()
    } finally {
      this.#release(key)
    }
  }

  async #acquire(key: string, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw cancelled()
    const queue = this.#queues.get(key)
    if (queue === undefined) {
      this.#queues.set(key, [])
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      const place = queue.indexOf(resolve)
      // Not found: the lock was handed over before the abort, and is ours.
      if (place === -1) return
      queue.splice(place, 1)
      reject(cancelled())
    }
    queue.push(resolve)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift()
    if (next === undefined) this.#queues.delete(key)
    else next()
  }
}

const cancelled = (): AppError => new AppError('cancelled', 'Cannot go on: cancelled while waiting for a lock')

/** The locks of files, for all trees of this process: two trees over one repository must wait for each other. */
export const fileLocks = new KeyedLocks()
