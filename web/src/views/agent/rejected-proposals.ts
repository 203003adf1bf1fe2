import * as v from 'valibot'
import { createStore, type Store } from '../../state/store.ts'
import { useStore } from '../../state/use-store.ts'

// A proposal that nobody accepts does nothing, so the server need not hear of a no: this browser remembers it.

const KEY = 'millwright.rejected'
const KEPT_MAX = 200

let kept: Store<readonly string[]> | undefined

function rejected(): Store<readonly string[]> {
  if (kept !== undefined) return kept
  const store = createStore<readonly string[]>(read())
  window.addEventListener('storage', ({ key }) => key === KEY && store.set(read()))
  kept = store
  return store
}

function read(): readonly string[] {
  try {
    return v.parse(v.array(v.string()), JSON.parse(localStorage.getItem(KEY) ?? '[]'))
  } catch {
    return []
  }
}

export const useRejected = (jobId: string): boolean => useStore(rejected()).includes(jobId)

export function rejectProposal(jobId: string): void {
  const next = [...rejected().get(), jobId].slice(-KEPT_MAX)
  localStorage.setItem(KEY, JSON.stringify(next))
  rejected().set(next)
}
