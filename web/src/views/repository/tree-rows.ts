import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { listFiles } from '#shared/tools/files.ts'

export type TreeEntry = ToolOutput<typeof listFiles>['entries'][number]

/** What is known of the inside of a folder. */
export interface FolderContent {
  readonly entries: readonly TreeEntry[]
  readonly isWhole: boolean
  /** Why it could not be read; null where it could, or is being read. */
  readonly problem: string | null
  readonly isLoading: boolean
}

/** A line of the tree. `note`: what stands in place of entries that are not there. */
export type TreeRow =
  | {
      readonly kind: 'entry'
      readonly entry: TreeEntry
      readonly name: string
      readonly level: number
      readonly isOpen: boolean
      readonly position: number
      readonly setSize: number
    }
  | { readonly kind: 'note'; readonly key: string; readonly text: string; readonly level: number }

/** The repository itself, as a folder. */
export const ROOT = ''

/** The lines of the tree from top to bottom: folders first, open ones followed by what is in them. */
export function toTreeRows(
  folders: ReadonlyMap<string, FolderContent>,
  open: ReadonlySet<string>,
  folder: string = ROOT,
  level = 1,
): TreeRow[] {
  const content = folders.get(folder)
  const note = (text: string): TreeRow => ({ kind: 'note', key: `${folder}/${text}`, text, level })
  if (content === undefined || content.isLoading) return [note('Loading…')]
  if (content.problem !== null) return [note(content.problem)]
  if (content.entries.length === 0) return [note(folder === ROOT ? 'The repository has no files' : 'Empty')]
  const sorted = [...content.entries].sort(inOrder)
  const rows = sorted.flatMap((entry, index): TreeRow[] => {
    const isOpen = entry.kind === 'folder' && open.has(entry.path)
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
    const row = { kind: 'entry', entry, name, level, isOpen, position: index + 1, setSize: sorted.length } as const
    return isOpen ? [row, ...toTreeRows(folders, open, entry.path, level + 1)] : [row]
  })
  return content.isWhole ? rows : [...rows, note('More files than are shown here')]
}

const collator = new Intl.Collator('en', { numeric: true })
const inOrder = (left: TreeEntry, right: TreeEntry): number =>
  Number(right.kind === 'folder') - Number(left.kind === 'folder') || collator.compare(left.path, right.path)

/** The glob of what lies right in a folder. What would mean something to a glob stands for any one character. */
export const globOfFolder = (folder: string): string =>
  folder === ROOT ? './*' : `${folder.replace(/[*?[\]{},\\]/g, '?')}/*`

/** Whether an entry lies right in this folder. */
export const isIn = (folder: string, path: string): boolean =>
  path.slice(0, Math.max(0, path.lastIndexOf('/'))) === folder

/** Every folder on the way to a path, from the outermost. */
export function foldersOf(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.slice(0, -1).map((_part, index) => parts.slice(0, index + 1).join('/'))
}
