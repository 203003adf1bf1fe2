import { foldersOf, type TreeRow } from './tree-rows.ts'

/** What a key does in a tree, as the ARIA practices have it; undefined for keys that do nothing here. */
export type TreeAction =
  | { readonly what: 'go'; readonly path: string }
  | { readonly what: 'open' | 'close' | 'choose'; readonly path: string }

export function toTreeAction(
  key: string,
  rows: readonly TreeRow[],
  current: string | undefined,
): TreeAction | undefined {
  const entries = rows.flatMap((row) => (row.kind === 'entry' ? [row] : []))
  const index = entries.findIndex(({ entry }) => entry.path === current)
  const row = entries[index]
  const go = (at: number): TreeAction | undefined => {
    const target = entries[Math.min(entries.length - 1, Math.max(0, at))]
    return target === undefined ? undefined : { what: 'go', path: target.entry.path }
  }
  if (row === undefined) return ['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(key) ? go(0) : undefined
  const { path } = row.entry
  const isFolder = row.entry.kind === 'folder'
  switch (key) {
    case 'ArrowDown':
      return go(index + 1)
    case 'ArrowUp':
      return go(index - 1)
    case 'Home':
      return go(0)
    case 'End':
      return go(entries.length - 1)
    case 'ArrowRight':
      if (!isFolder) return undefined
      return row.isOpen ? go(index + 1) : { what: 'open', path }
    case 'ArrowLeft': {
      if (isFolder && row.isOpen) return { what: 'close', path }
      const parent = foldersOf(path).at(-1)
      return parent === undefined ? undefined : { what: 'go', path: parent }
    }
    case 'Enter':
    case ' ':
      if (isFolder) return { what: row.isOpen ? 'close' : 'open', path }
      return { what: 'choose', path }
    default:
      return undefined
  }
}
