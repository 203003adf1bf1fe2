import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

export interface HiddenPath {
  readonly path: string
  readonly kind: 'file' | 'folder'
}

/** Folders between two turns of the event loop: a millisecond or two. */
const FOLDERS_PER_TURN = 32
/** A folder that changed this short a time before it was read may change again without a new time stamp. */
const SETTLED_MS = 2000

interface Known {
  readonly changed: bigint
  readonly folders: readonly string[]
  readonly hidden: readonly HiddenPath[]
}

/**
 * Finds everything in a folder tree that no caller may read, dependencies that git ignores included. Links are not
 * followed. A folder is read again when its time of change is another, which a process cannot set at will; so a second
 * survey asks the disk once per folder and not once per file.
 */
export function createHiddenPaths(root: string, protectedPaths: ProtectedPaths): () => Promise<HiddenPath[]> {
  let known = new Map<string, Known>()

  function visit(folder: string): Known | null {
    try {
      const changed = lstatSync(join(root, folder), { bigint: true }).ctimeNs
      const before = known.get(folder)
      if (before?.changed === changed) return before
      const isSettled = BigInt(Date.now() - SETTLED_MS) * 1_000_000n > changed
      const found = read(folder)
      return { ...found, changed: isSettled ? changed : -1n }
    } catch {
      // Gone, or not ours to read: then a command cannot read it either.
      return null
    }
  }

  function read(folder: string): Omit<Known, 'changed'> {
    const folders: string[] = []
    const hidden: HiddenPath[] = []
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (isHidden(path, entry)) hidden.push({ path, kind: entry.isDirectory() ? 'folder' : 'file' })
      else if (entry.isDirectory()) folders.push(path)
    }
    return { folders, hidden }
  }

  // A link is judged by what it leads to, which is in the tree itself or not there for a command.
  function isHidden(path: string, entry: Dirent): boolean {
    if (entry.isSymbolicLink() || isPublicCertificates(path)) return false
    // A name that no caller could write is judged like any other.
    return protectedPaths.judge(path as RepositoryPath).protection === 'read-write'
  }

  return async () => {
    const seen = new Map<string, Known>()
    const pending = ['']
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (seen.size % FOLDERS_PER_TURN === FOLDERS_PER_TURN - 1) await setImmediate()
      const found = visit(folder)
      if (found === null) continue
      seen.set(folder, found)
      pending.push(...found.folders)
    }
    known = seen
    return [...seen.values()].flatMap(({ hidden }) => hidden)
  }
}

/** The list of public authorities that Python's packages carry, and load whether they connect or not. */
const isPublicCertificates = (path: string): boolean => /(?:^|\/)certifi\/cacert\.pem$/.test(path)
