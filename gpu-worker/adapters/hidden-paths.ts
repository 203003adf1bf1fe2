import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { AppError } from '#shared/errors.ts'
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
 * Finds everything in a folder tree that no caller may read, dependencies that git ignores included, and what leads out of
 * a sandbox: sockets, pipes and devices. Links are not followed, and the `skipped` folders (absolute) not entered. Rejects
 * with `unavailable` where a name cannot be told to a sandbox. A folder is read again when its time of change is another, which a process cannot set at will; so a second
 * survey asks the disk once per folder and not once per file.
 */
export function createHiddenPaths(
  root: string,
  protectedPaths: ProtectedPaths,
  skipped: readonly string[] = [],
): () => Promise<HiddenPath[]> {
  let known = new Map<string, Known>()
  const notEntered = new Set(skipped.map((folder) => relative(root, folder)))

  function visit(folder: string): Known | null {
    try {
      const changed = lstatSync(join(root, folder), { bigint: true }).ctimeNs
      const before = known.get(folder)
      if (before?.changed === changed) return before
      const isSettled = BigInt(Date.now() - SETTLED_MS) * 1_000_000n > changed
      const found = read(folder)
      return { ...found, changed: isSettled ? changed : -1n }
    } catch (error) {
      if (error instanceof AppError || folder === '') throw error
      if (isGone(error)) return null
      // Whoever may not list a folder may still open what he knows the name of.
      return { changed: -1n, folders: [], hidden: [{ path: folder, kind: 'folder' }] }
    }
  }

  function read(folder: string): Omit<Known, 'changed'> {
    const folders: string[] = []
    const hidden: HiddenPath[] = []
    const entries = readdirSync(join(root, folder), { withFileTypes: true })
    if (folder !== '' && isBareRepository(entries)) return { folders, hidden: [{ path: folder, kind: 'folder' }] }
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (notEntered.has(path)) continue
      const isToHide = isHidden(path, entry)
      if (isToHide || entry.isDirectory()) refuseUnspeakable(folder, entry.name)
      if (isToHide) hidden.push({ path, kind: entry.isDirectory() ? 'folder' : 'file' })
      else if (entry.isDirectory()) folders.push(path)
    }
    return { folders, hidden }
  }

  /** A name that is not UTF-8 cannot be given to another program as it is: nothing at it or in it can be hidden. */
  function refuseUnspeakable(folder: string, name: string): void {
    if (!name.includes('\uFFFD')) return
    if (lstatSync(join(root, folder, name), { throwIfNoEntry: false }) !== undefined) return
    const place = folder === '' ? 'at the top of the repository' : `in ${folder}`
    throw new AppError('unavailable', `Cannot run a command: "${name}" ${place} has a name that is not UTF-8`, {
      hint: 'Nothing in such a folder can be hidden from a command: a person renames or removes it',
    })
  }

  // A link is judged by what it leads to, which is in the tree itself or not there for a command.
  function isHidden(path: string, entry: Dirent): boolean {
    if (entry.isSymbolicLink() || isPublicCertificates(path)) return false
    // A read-only mount does not keep anybody from speaking to who listens at a socket or a pipe.
    if (!entry.isFile() && !entry.isDirectory()) return true
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

/** A repository without a work tree, or git's folder under another name. Callers may not read it either. */
function isBareRepository(entries: readonly Dirent[]): boolean {
  const names = new Set(entries.map(({ name }) => name))
  return ['HEAD', 'objects', 'refs'].every((name) => names.has(name))
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
