import { createStore, type Store } from '../../state/store.ts'

export type DiffLook = 'side_by_side' | 'inline'

const KEY = 'millwright.diff'

let kept: Store<DiffLook> | undefined

/** How the person wants to see changes: remembered in this browser, and the same for all changes on the page. */
export function diffLook(): Store<DiffLook> {
  kept ??= createStore<DiffLook>(localStorage.getItem(KEY) === 'inline' ? 'inline' : 'side_by_side')
  return kept
}

export function chooseDiffLook(look: DiffLook): void {
  localStorage.setItem(KEY, look)
  diffLook().set(look)
}
