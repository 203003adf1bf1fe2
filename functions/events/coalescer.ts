/** Passes things on, but of those that say the same no more than one in each interval. */
export interface Coalescer<T> {
  push(item: T): void
  /** What waits is dropped. */
  stop(): void
}

/**
 * The first of a kind is passed on at once, what follows within `intervalMs` as one at its end: the newest. `keyOf` says what
 * is of one kind. What is kept is bounded by the kinds that come in one interval.
 */
export function createCoalescer<T>(
  intervalMs: number,
  keyOf: (item: T) => string,
  deliver: (item: T) => void,
): Coalescer<T> {
  const waiting = new Map<string, { timer: ReturnType<typeof setTimeout>; newest: T | undefined }>()

  function begin(key: string): void {
    const timer = setTimeout(() => {
      const newest = waiting.get(key)?.newest
      waiting.delete(key)
      if (newest === undefined) return
      begin(key)
      deliver(newest)
    }, intervalMs)
    waiting.set(key, { timer, newest: undefined })
  }

  return {
    push(item) {
      const key = keyOf(item)
      const entry = waiting.get(key)
      if (entry !== undefined) {
        entry.newest = item
        return
      }
      begin(key)
      deliver(item)
    },
    stop() {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}
