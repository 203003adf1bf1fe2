import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { AppError } from '#shared/errors.ts'
import { foldName } from '../workspace/file-key.ts'
import { parseRepositoryPath, type RepositoryPath, showPath } from '../workspace/repository-path.ts'
import { type Folder, type FolderOpener, findIn, isRepository, statIn } from './node-file-tree-folder.ts'

/** As many as Linux follows before it says ELOOP. */
const LINKS_MAX = 40
/** A `.gitmodules` that is larger than this is not one. */
const GITMODULES_BYTES_MAX = 256 * 1024

/** Where a path leads once every link in it is resolved. The caller closes `folder`. */
export interface Place {
  /** The deepest folder that exists; the parent of the file where `missing` is empty. */
  readonly folder: Folder
  /** Folders to make before the file can be. */
  readonly missing: readonly string[]
  /** The last name, as on disk; empty for the root itself. */
  readonly name: string
  /** Without following a link; undefined for what does not exist. */
  readonly stat: Stats | undefined
  /** Canonical path; null for the root itself. */
  readonly path: RepositoryPath | null
}

export interface Lookup {
  /** Throws `outside_repository` for what leads out or into another repository. */
  find(path: RepositoryPath | null): Place
}

export function createLookup(opener: FolderOpener, rootSpellings: readonly string[], foldsCase: boolean): Lookup {
  const readSubmodules = createSubmoduleReader()

  /** The names that a link leads through, from the root or from the folder it is in. */
  const readLink = (folder: Folder, name: string, shown: string): { fromRoot: boolean; names: string[] } => {
    const target = decodeName(readlinkSync(`${folder.base}/${name}`, { encoding: 'buffer' }), shown)
    const names = (text: string): string[] => text.split('/').filter((part) => part !== '' && part !== '.')
    if (!target.startsWith('/')) return { fromRoot: false, names: names(target) }
    const root = rootSpellings.find((spelling) => target === spelling || target.startsWith(`${spelling}/`))
    if (root === undefined) throw leadsOut(shown)
    return { fromRoot: true, names: names(target.slice(root.length)) }
  }

  const enter = (parent: Folder, name: string, shown: string): Folder => {
    const folder = opener.open(parent, name)
    if (!isRepository(folder)) return folder
    folder.close()
    throw inOtherRepository(shown)
  }

  const find = (path: RepositoryPath | null): Place => {
    const shown = showPath(path ?? '.')
    const open: Folder[] = [opener.openRoot()]
    const leave = (count: number): void => {
      for (const folder of open.splice(count)) folder.close()
    }
    try {
      const foreign = readSubmodules(open[0] as Folder)
      const pending = path === null ? [] : path.split('/')
      let links = 0
      let name = ''
      let stat: Stats | undefined
      let missing: string[] = []
      while (pending.length > 0) {
        const here = open.at(-1) as Folder
        const wanted = pending.shift() as string
        if (wanted === '..') {
          if (open.length === 1) throw leadsOut(shown)
          leave(open.length - 1)
          name = ''
          continue
        }
        const entry = findIn(here, wanted, foldsCase)
        if (entry === undefined) {
          missing = [wanted, ...pending].map((part) => part.normalize('NFC'))
          if (missing.includes('..')) throw leadsOut(shown)
          break
        }
        if (entry.stat.isSymbolicLink()) {
          links += 1
          if (links > LINKS_MAX) throw tooManyLinks(shown)
          const target = readLink(here, entry.name, shown)
          if (target.fromRoot) leave(1)
          pending.unshift(...target.names)
          name = ''
          continue
        }
        if (pending.length > 0) {
          if (!entry.stat.isDirectory()) throw notAFolder(shown)
          open.push(enter(here, entry.name, shown))
        } else {
          name = entry.name
          stat = entry.stat
        }
      }
      const folder = open.pop() as Folder
      leave(0)
      if (missing.length > 0) name = missing.pop() ?? ''
      try {
        return finish(folder, missing, name, stat, foreign, shown)
      } catch (error) {
        folder.close()
        throw error
      }
    } catch (error) {
      leave(0)
      throw error
    }
  }

  const finish = (
    folder: Folder,
    missing: readonly string[],
    name: string,
    stat: Stats | undefined,
    foreign: readonly string[],
    shown: string,
  ): Place => {
    const names = [folder.path, ...missing, name].filter((part) => part !== '')
    const path = names.length === 0 ? null : canonical(names.join('/'), shown)
    if (path !== null) {
      const key = foldName(path, foldsCase)
      for (const submodule of foreign) {
        const below = foldName(submodule, foldsCase)
        if (key === below || key.startsWith(`${below}/`)) throw inOtherRepository(shown)
      }
    }
    return { folder, missing, name, stat, path }
  }
  return { find }
}

/** The paths that `.gitmodules` names, read again when the file changed. A submodule need not be there to be one. */
function createSubmoduleReader(): (root: Folder) => readonly string[] {
  let seen = ''
  let paths: readonly string[] = []
  return (root) => {
    const stat = statIn(root, '.gitmodules')
    const state = stat?.isFile() ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : ''
    if (state !== seen) {
      paths = state === '' ? [] : parseSubmodulePaths(readSmallFile(`${root.base}/.gitmodules`))
      seen = state
    }
    return paths
  }
}

function readSmallFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    return stat.isFile() && stat.size <= GITMODULES_BYTES_MAX ? readFileSync(fd, 'utf8') : ''
  } finally {
    closeSync(fd)
  }
}

function parseSubmodulePaths(text: string): string[] {
  return [...text.matchAll(/^[ \t]*path[ \t]*=[ \t]*"?([^"\r\n]*?)"?[ \t]*$/gimu)]
    .map((match) => (match[1] ?? '').replaceAll(/^(?:\.?\/)+|\/+$/gu, ''))
    .filter((path) => path !== '')
}

function decodeName(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new AppError('invalid_input', `Cannot use path ${shown}: leads over a link whose target is not UTF-8`, {
      cause,
    })
  }
}

/** What a link leads to must be a path that callers could have named themselves. */
function canonical(text: string, shown: string): RepositoryPath {
  try {
    return parseRepositoryPath(text)
  } catch (cause) {
    throw new AppError('invalid_input', `Cannot use path ${shown}: leads to a file whose name is not usable here`, {
      cause,
    })
  }
}

const hint = 'Give the path of a file of this repository'
const leadsOut = (shown: string): AppError =>
  new AppError('outside_repository', `Cannot use path ${shown}: a link in it leads out of the repository`, { hint })
const inOtherRepository = (shown: string): AppError =>
  new AppError('outside_repository', `Cannot use path ${shown}: it lies in a submodule or nested repository`, { hint })
const notAFolder = (shown: string): AppError =>
  new AppError('invalid_input', `Cannot use path ${shown}: a file stands where a folder is meant`, { hint })
const tooManyLinks = (shown: string): AppError =>
  new AppError('invalid_input', `Cannot use path ${shown}: more than ${LINKS_MAX} links`, { hint })
