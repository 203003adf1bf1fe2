import { createStore, type Store } from './store.ts'

export interface Toast {
  readonly id: number
  readonly kind: 'done' | 'failed'
  readonly text: string
}

export interface Toasts {
  readonly state: Store<readonly Toast[]>
  show(kind: Toast['kind'], text: string): void
  dismiss(id: number): void
}

/** Long enough to read two lines; a failure stays until it is dismissed. */
const SHOWN_MS = 6000
const KEPT_MAX = 4

export function createToasts(): Toasts {
  const state = createStore<readonly Toast[]>([])
  let count = 0
  const dismiss = (id: number) => state.set(state.get().filter((toast) => toast.id !== id))
  return {
    state,
    dismiss,
    show(kind, text) {
      count++
      const id = count
      state.set([...state.get(), { id, kind, text }].slice(-KEPT_MAX))
      if (kind === 'done') setTimeout(() => dismiss(id), SHOWN_MS)
    },
  }
}
