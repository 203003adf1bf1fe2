import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import { foldName } from '../workspace/file-key.ts'

/**
 * An open folder of the repository. Names are looked up in the open folder itself, so that a parent that is swapped
 * for a link between two steps changes nothing.
 */
export interface Folder {
  readonly fd: number
  /** Names on disk from the root, without a leading slash; empty for the root. */
  readonly path: string
  /** Where `node:fs` reaches this folder. */
  readonly base: string
  /** Throws `conflict` where the folder is no longer at its place in the repository. */
  assertInPlace(): void
  close(): void
}

/** How folders are reached: by descriptor (Linux), or by path with checks before and after (elsewhere). */
export interface FolderOpener {
  readonly rootPath: string
  openRoot(): Folder
  /** Opens a folder in `parent` without following a link. */
  open(parent: Folder, name: string): Folder
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Names that a tree of `git init --bare` begins with: enough for git to take the folder for a repository. */
const bareParts = ['HEAD', 'objects', 'refs'] as const

/**
 * Pins the folder at `rootPath` (a real path): `openRoot` throws `unavailable` once another folder stands there.
 * `throughDescriptors` works where `/proc/self/fd` exists; without it a swap between check and use is found only after
 * the fact.
 */
export function createFolderOpener(rootPath: string, throughDescriptors: boolean): FolderOpener {
  const pinned = lstatSync(rootPath, { bigint: true })
  const make = (fd: number, path: string): Folder => {
    const here = join(rootPath, path)
    return {
      fd,
      path,
      base: throughDescriptors ? `/proc/self/fd/${fd}` : here,
      assertInPlace: () => {
        const place = throughDescriptors ? readlinkSync(`/proc/self/fd/${fd}`) : realPathOrEmpty(here)
        if (place !== here || !isSame(fd, here)) throw moved()
      },
      close: () => closeSync(fd),
    }
  }
  return {
    rootPath,
    openRoot() {
      let fd: number
      try {
        fd = openSync(rootPath, folderFlags)
      } catch (cause) {
        throw rootGone(cause)
      }
      const now = fstatSync(fd, { bigint: true })
      if (now.dev === pinned.dev && now.ino === pinned.ino) return make(fd, '')
      closeSync(fd)
      throw rootGone(undefined)
    },
    open(parent, name) {
      if (!throughDescriptors) parent.assertInPlace()
      const folder = make(openSync(`${parent.base}/${name}`, folderFlags), join(parent.path, name))
      if (throughDescriptors) return folder
      try {
        folder.assertInPlace()
        return folder
      } catch (error) {
        folder.close()
        throw error
      }
    },
  }
}

/** A name in a folder as it is on disk, without following it. */
export function statIn(folder: Folder, name: string): Stats | undefined {
  return lstatSync(`${folder.base}/${name}`, { throwIfNoEntry: false })
}

/**
 * Finds the entry that a name leads to: the exact one, else the one that differs only in Unicode form (and in case,
 * where the file system folds it).
 */
export function findIn(folder: Folder, name: string, foldsCase: boolean): { name: string; stat: Stats } | undefined {
  const exact = statIn(folder, name)
  if (!foldsCase && (exact !== undefined || isAscii(name))) return exact && { name, stat: exact }
  const entries = readdirSync(folder.base)
  const wanted = foldName(name, foldsCase)
  const match = entries.includes(name) ? name : entries.find((entry) => foldName(entry, foldsCase) === wanted)
  const stat = match === undefined ? exact : statIn(folder, match)
  return stat && { name: match ?? name, stat }
}

/** True for a folder that git would take for a repository of its own: a submodule, a nested clone, a bare one. */
export function isRepository(folder: Folder): boolean {
  return statIn(folder, '.git') !== undefined || bareParts.every((part) => statIn(folder, part) !== undefined)
}

const isAscii = (text: string): boolean => !/[^\x00-\x7f]/u.test(text)

function isSame(fd: number, path: string): boolean {
  const open = fstatSync(fd, { bigint: true })
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return there !== undefined && open.dev === there.dev && open.ino === there.ino
}

function realPathOrEmpty(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return ''
  }
}

const moved = (): AppError =>
  new AppError('conflict', 'Cannot go on: a folder of this path was moved or replaced meanwhile', {
    hint: 'Look at the folder, then call again',
  })

const rootGone = (cause: unknown): AppError =>
  new AppError('unavailable', 'Cannot use the repository: its folder is gone or was replaced by another', {
    hint: 'Restart the worker on the repository that is meant',
    cause,
  })
