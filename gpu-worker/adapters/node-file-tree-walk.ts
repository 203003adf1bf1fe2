import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { FileEntry } from '../ports/file-tree.ts'
import { fileKey } from '../workspace/file-key.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { parseRepositoryPath, type RepositoryPath } from '../workspace/repository-path.ts'
import { type Folder, type FolderOpener, isRepository, statIn } from './node-file-tree-folder.ts'

/** Entries between two turns of the event loop: under a millisecond of work. */
const ENTRIES_PER_TURN = 256

interface Child {
  /** In NFC: what is compared and shown. */
  readonly shown: string
  /** As on disk. */
  readonly name: string
  readonly kind: FileEntry['kind']
}

/** Compares as a walk goes: a folder, then what is in it, then the next name. */
export function comparePaths(one: string, other: string): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')]
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Entries below `folder`, in the order of `comparePaths`, after the path `after`. Names that no caller could write
 * (control characters, bytes that are not UTF-8) are left out, as is what belongs to git or to this server; nested
 * repositories are shown but not entered. Leaves `folder` open.
 */
export async function* walkFolder(
  opener: FolderOpener,
  protectedPaths: ProtectedPaths,
  foldsCase: boolean,
  folder: Folder,
  after: string | null,
): AsyncIterable<FileEntry> {
  const prefix = folder.path === '' ? '' : `${folder.path.normalize('NFC')}/`
  let entries = 0
  let last = ''
  for (const child of await readChildren(folder, firstNameAfter(prefix, after))) {
    entries += 1
    if (entries % ENTRIES_PER_TURN === 0) await setImmediate()
    // Two Unicode forms of one name are one file to callers.
    if (child.shown === last) continue
    last = child.shown
    const path = parseOrNull(prefix + child.shown)
    if (path === null || !protectedPaths.judge(path).allowable) continue
    if (after === null || comparePaths(path, after) > 0) {
      const stat = child.kind === 'file' ? statIn(folder, child.name) : undefined
      // Gone since the folder was read.
      if (child.kind === 'file' && stat === undefined) continue
      yield { path, key: fileKey(path, foldsCase), kind: child.kind, bytes: stat?.size ?? null }
    }
    if (child.kind !== 'folder') continue
    const below = openOrNull(opener, folder, child.name)
    if (below === null) continue
    try {
      if (!isRepository(below)) yield* walkFolder(opener, protectedPaths, foldsCase, below, after)
    } finally {
      below.close()
    }
  }
}

/** The first name of a folder that can hold anything after the path `after`. */
function firstNameAfter(prefix: string, after: string | null): string {
  return after?.startsWith(prefix) ? (after.slice(prefix.length).split('/', 1)[0] ?? '') : ''
}

/** What is in a folder from the name `first` on, in order. */
async function readChildren(folder: Folder, first: string): Promise<Child[]> {
  const children: Child[] = []
  for (const entry of await readdir(folder.base, { withFileTypes: true })) {
    const shown = entry.name.normalize('NFC')
    if (shown >= first) children.push({ shown, name: entry.name, kind: kindOf(entry) })
  }
  return children.sort((one, other) => (one.shown < other.shown ? -1 : one.shown > other.shown ? 1 : 0))
}

function kindOf(entry: Dirent): FileEntry['kind'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

function parseOrNull(text: string): RepositoryPath | null {
  try {
    return parseRepositoryPath(text)
  } catch {
    return null
  }
}

/** Null where the folder is gone, was replaced by a link, or may not be read: the walk goes on without it. */
function openOrNull(opener: FolderOpener, parent: Folder, name: string): Folder | null {
  try {
    return opener.open(parent, name)
  } catch {
    return null
  }
}
