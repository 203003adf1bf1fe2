/** One value that changes, and who wants to know. */
export interface Store<T> {
  get(): T
  /** Tells the listeners, unless it is the same value. */
  set(next: T): void
  /** Returns how to stop listening. */
  subscribe(listener: () => void): () => void
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
