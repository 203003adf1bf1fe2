import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { resolve as resolvePath } from 'node:path'
import { promisify } from 'node:util'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { FileBytes, FileEntry, FileTree, PathUse, ResolvedFile } from '../ports/file-tree.ts'
import { fileKey } from '../workspace/file-key.ts'
import { fileLocks } from '../workspace/locks.ts'
import { createProtectedPaths, type ProtectedPaths } from '../workspace/protected-paths.ts'
import { parseRepositoryPath, type RepositoryPath, showPath } from '../workspace/repository-path.ts'
import { createTempFileName, isTempFileName } from '../workspace/temp-files.ts'
import { errnoOf, toFileError } from './node-file-tree-errors.ts'
import { createFolderOpener, type Folder, type FolderOpener, isRepository, statIn } from './node-file-tree-folder.ts'
import { createLookup, type Lookup, type Place } from './node-file-tree-lookup.ts'
import { walkFolder } from './node-file-tree-walk.ts'

export interface NodeFileTreeOptions {
  /** The root of the repository. A link is resolved once, here. */
  readonly root: string
  /** Exact paths that the owner opted in; see docs/security.md. */
  readonly allowProtected?: readonly string[]
  /** Whether letter case makes no difference to names. Found out from the file system where not given. */
  readonly foldsCase?: boolean
  /** Whether folders are reached by descriptor rather than by path. The default is what the system can do. */
  readonly throughDescriptors?: boolean
  /** Awaited between the durable temp file and the comparison and rename. For tests that kill or race right there. */
  readonly beforeRename?: () => Promise<void>
}

const syncDescriptor = promisify(fsync)
/** No write is compared with a file larger than any that tools read, with room for one that grew meanwhile. */
const COMPARE_BYTES_MAX = 16 * FILE_BYTES_MAX
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Temp files that a write of this process is working on: a sweep leaves them alone. */
const tempFilesInUse = new Set<string>()

/** Opens the files of a repository. Throws `unavailable` where the root is no folder that can be read. */
export async function createNodeFileTree(options: NodeFileTreeOptions): Promise<FileTree> {
  const protectedPaths = createProtectedPaths(options.allowProtected)
  try {
    const given = resolvePath(options.root)
    const rootPath = realpathSync.native(given)
    if (!lstatSync(rootPath).isDirectory())
      throw new AppError('unavailable', 'Cannot open the repository: not a folder')
    const foldsCase = options.foldsCase ?? detectFoldsCase(rootPath)
    const throughDescriptors = options.throughDescriptors ?? existsSync('/proc/self/fd')
    const opener = createFolderOpener(rootPath, throughDescriptors)
    const lookup = createLookup(opener, [...new Set([rootPath, given])], foldsCase)
    return new NodeFileTree(opener, lookup, protectedPaths, foldsCase, options.beforeRename)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('unavailable', 'Cannot open the repository: its folder is missing or cannot be read', {
      hint: 'Give the path of a folder that exists',
      cause: error,
    })
  }
}

/** Looks for an entry that is found under another case too. A root with no letter in any name says no. */
function detectFoldsCase(rootPath: string): boolean {
  const names = readdirSync(rootPath)
  const probe = names.includes('.git') ? '.git' : names.find((name) => /^[\x21-\x7e]*[a-z][\x21-\x7e]*$/u.test(name))
  if (probe === undefined) return false
  const other = probe.toUpperCase()
  const [one, two] = [probe, other].map((name) =>
    lstatSync(`${rootPath}/${name}`, { bigint: true, throwIfNoEntry: false }),
  )
  return !names.includes(other) && one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino
}

class NodeFileTree implements FileTree {
  readonly #opener: FolderOpener
  readonly #lookup: Lookup
  readonly #protectedPaths: ProtectedPaths
  readonly #foldsCase: boolean
  readonly #beforeRename: (() => Promise<void>) | undefined
  readonly #lockPrefix: string

  constructor(
    opener: FolderOpener,
    lookup: Lookup,
    protectedPaths: ProtectedPaths,
    foldsCase: boolean,
    beforeRename: (() => Promise<void>) | undefined,
  ) {
    this.#opener = opener
    this.#lookup = lookup
    this.#protectedPaths = protectedPaths
    this.#foldsCase = foldsCase
    this.#beforeRename = beforeRename
    const { dev, ino } = lstatSync(opener.rootPath, { bigint: true })
    this.#lockPrefix = `${dev}:${ino}:`
  }

  async resolve(text: string, use: PathUse): Promise<ResolvedFile> {
    const { place, path } = this.#find(text, use)
    place.folder.close()
    return { path, key: fileKey(path, this.#foldsCase), exists: place.stat !== undefined }
  }

  async read(text: string, bytesMax: number): Promise<FileBytes> {
    const { place, path } = this.#find(text, 'read')
    const action = `Cannot read ${showPath(path)}`
    try {
      if (place.stat === undefined) throw notFound(action)
      // A regular file of this size comes from the page cache in well under a millisecond; the thread pool's way costs
      // several times that, and its threads are what inference waits for.
      const bytes = readRegularFile(place.folder, place.name, bytesMax, action)
      if (!isInPlace(place.folder)) throw movedMeanwhile(action)
      return { path, bytes, sha256: sha256(bytes) }
    } catch (error) {
      throw toFileError(error, action)
    } finally {
      place.folder.close()
    }
  }

  async write(file: ResolvedFile, bytes: Uint8Array, expectedSha256: string | null): Promise<void> {
    await fileLocks.run(this.#lockPrefix + file.key, () => this.#write(file, bytes, expectedSha256))
  }

  async #write(file: ResolvedFile, bytes: Uint8Array, expectedSha256: string | null): Promise<void> {
    const { place, path } = this.#find(file.path, 'write')
    const action = `Cannot write ${showPath(path)}`
    const made: { parent: Folder; name: string }[] = []
    let folder = place.folder
    try {
      this.#assertSameFile(file, path, action)
      if (expectedSha256 !== null && place.stat === undefined) throw changed(action, null)
      if (place.stat !== undefined && (place.stat.mode & 0o222) === 0) throw readOnly(action)
      for (const name of place.missing) {
        const isNew = makeFolder(folder, name)
        if (isNew) made.push({ parent: folder, name })
        const child = this.#opener.open(folder, name)
        if (!isNew) folder.close()
        folder = child
      }
      await this.#replace(folder, place, bytes, expectedSha256, action)
      for (const { parent } of made) await syncDescriptor(parent.fd)
    } catch (error) {
      for (const { parent, name } of made.toReversed()) removeFolderIfEmpty(parent, name)
      throw toFileError(error, action)
    } finally {
      folder.close()
      for (const { parent } of made) parent.close()
    }
  }

  async #replace(
    folder: Folder,
    place: Place,
    bytes: Uint8Array,
    expectedSha256: string | null,
    action: string,
  ): Promise<void> {
    const temp = createTempFileName()
    const tempPath = `${folder.base}/${temp}`
    tempFilesInUse.add(temp)
    try {
      await writeDurably(tempPath, bytes, place.stat)
      await this.#beforeRename?.()
      // From here to the rename nothing of this process runs in between, and other processes have microseconds.
      assertUnchanged(folder, place.name, expectedSha256, action)
      folder.assertInPlace()
      renameSync(tempPath, `${folder.base}/${place.name}`)
    } catch (error) {
      removeIfThere(tempPath)
      throw error
    } finally {
      tempFilesInUse.delete(temp)
    }
    await syncDescriptor(folder.fd)
  }

  async remove(file: ResolvedFile, expectedSha256: string): Promise<void> {
    await fileLocks.run(this.#lockPrefix + file.key, async () => {
      const { place, path } = this.#find(file.path, 'write')
      const action = `Cannot delete ${showPath(path)}`
      try {
        this.#assertSameFile(file, path, action)
        if (place.stat === undefined) throw notFound(action)
        assertUnchanged(place.folder, place.name, expectedSha256, action)
        place.folder.assertInPlace()
        unlinkSync(`${place.folder.base}/${place.name}`)
        await syncDescriptor(place.folder.fd)
      } catch (error) {
        throw toFileError(error, action)
      } finally {
        place.folder.close()
      }
    })
  }

  async *walk(text: string, after: string | null): AsyncIterable<FileEntry> {
    const folder = this.#openFolder(text)
    try {
      yield* walkFolder(this.#opener, this.#protectedPaths, this.#foldsCase, folder, after)
    } catch (error) {
      throw toFileError(error, `Cannot list ${showPath(text)}`)
    } finally {
      folder.close()
    }
  }

  async sweep(): Promise<number> {
    const root = this.#opener.openRoot()
    try {
      return await sweepFolder(this.#opener, root)
    } finally {
      root.close()
    }
  }

  /** Where a caller's text leads, judged by its spelling and by what it leads to. The caller closes the folder. */
  #find(text: string, use: PathUse): { place: Place; path: RepositoryPath } {
    const spelled = parseRepositoryPath(text)
    const action = `Cannot ${use} ${showPath(spelled)}`
    this.#refuseProtected(spelled, use, action)
    let place: Place
    try {
      place = this.#lookup.find(spelled)
    } catch (error) {
      throw toFileError(error, action)
    }
    try {
      if (place.path === null || place.name === '') throw notRegular(action, 'a folder')
      this.#refuseProtected(place.path, use, action)
      if (place.stat !== undefined) refuseIrregular(place.stat, action)
      return { place, path: place.path }
    } catch (error) {
      place.folder.close()
      throw error
    }
  }

  /** The folder that `text` leads to; `''` and `.` are the root. */
  #openFolder(text: string): Folder {
    const spelled = isRoot(text) ? null : parseRepositoryPath(text)
    const action = `Cannot list ${showPath(text)}`
    if (spelled !== null) this.#refuseProtected(spelled, 'read', action)
    let place: Place
    try {
      place = this.#lookup.find(spelled)
    } catch (error) {
      throw toFileError(error, action)
    }
    if (place.name === '') return place.folder
    try {
      if (place.path !== null) this.#refuseProtected(place.path, 'read', action)
      if (place.stat === undefined)
        throw new AppError('not_found', `${action}: no such folder`, {
          hint: 'list_files of the folder above it shows what there is',
        })
      if (!place.stat.isDirectory()) {
        throw new AppError('invalid_input', `${action}: not a folder`, { hint: 'read_file reads a file' })
      }
      const folder = this.#opener.open(place.folder, place.name)
      if (!isRepository(folder)) return folder
      folder.close()
      throw new AppError('outside_repository', `${action}: a submodule or nested repository`)
    } catch (error) {
      throw toFileError(error, action)
    } finally {
      place.folder.close()
    }
  }

  #refuseProtected(path: RepositoryPath, use: PathUse, action: string): void {
    const { protection, reason, allowable } = this.#protectedPaths.judge(path)
    if (protection === 'none' || (protection === 'write' && use === 'read')) return
    throw new AppError('protected_path', `${action}: ${reason}`, {
      hint: allowable
        ? "Choose another file, or ask the machine's owner to allow this path by name (docs/security.md)"
        : 'Choose another file; this one is never opened to callers',
    })
  }

  #assertSameFile(file: ResolvedFile, path: RepositoryPath, action: string): void {
    if (fileKey(path, this.#foldsCase) !== file.key) throw movedMeanwhile(action)
  }
}

const isRoot = (text: string): boolean =>
  !text.startsWith('/') && text.split('/').every((part) => part === '' || part === '.')

/** Reads at most `bytesMax` from the open file, which is the one that is judged. */
function readRegularFile(folder: Folder, name: string, bytesMax: number, action: string): Buffer {
  const fd = openSync(`${folder.base}/${name}`, readFlags)
  try {
    const stat = fstatSync(fd)
    refuseIrregular(stat, action)
    if (stat.size > bytesMax) throw tooLarge(action, stat.size, bytesMax)
    // One byte more than it says, to notice that it grew.
    const buffer = Buffer.allocUnsafe(Math.min(stat.size, bytesMax) + 1)
    let length = 0
    while (length < buffer.byteLength) {
      const count = readSync(fd, buffer, length, buffer.byteLength - length, null)
      if (count === 0) return buffer.subarray(0, length)
      length += count
    }
    throw movedMeanwhile(action)
  } finally {
    closeSync(fd)
  }
}

function assertUnchanged(folder: Folder, name: string, expectedSha256: string | null, action: string): void {
  const stat = statIn(folder, name)
  if (stat === undefined) {
    if (expectedSha256 !== null) throw changed(action, null)
    return
  }
  if (expectedSha256 === null || stat.size > COMPARE_BYTES_MAX) throw changed(action, stat)
  if (sha256(readRegularFile(folder, name, COMPARE_BYTES_MAX, action)) !== expectedSha256) throw changed(action, stat)
}

async function writeDurably(path: string, bytes: Uint8Array, old: Stats | undefined): Promise<void> {
  const handle = await open(path, createFlags, old === undefined ? 0o666 : 0o600)
  try {
    await handle.writeFile(bytes)
    if (old !== undefined) {
      // A worker that runs as another user than the file's keeps the owner where the system lets it.
      if (old.uid !== process.geteuid?.() || old.gid !== process.getegid?.()) {
        await handle.chown(old.uid, old.gid).catch(() => undefined)
      }
      // After chown, which may drop bits. Never set-user-id, set-group-id or sticky.
      await handle.chmod(old.mode & 0o777)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder; false where one was there. */
function makeFolder(parent: Folder, name: string): boolean {
  try {
    mkdirSync(`${parent.base}/${name}`)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

function removeFolderIfEmpty(parent: Folder, name: string): void {
  try {
    rmdirSync(`${parent.base}/${name}`)
  } catch {
    // Somebody put something into it meanwhile, so it is theirs now.
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Never made, or gone with its folder. What is left otherwise, the next sweep takes.
  }
}

async function sweepFolder(opener: FolderOpener, folder: Folder): Promise<number> {
  let removed = 0
  for (const entry of await readdir(folder.base, { withFileTypes: true })) {
    if (entry.isFile() && isTempFileName(entry.name) && !tempFilesInUse.has(entry.name)) {
      removeIfThere(`${folder.base}/${entry.name}`)
      removed += 1
    }
    if (!entry.isDirectory() || entry.name.toLowerCase() === '.git') continue
    let below: Folder
    try {
      below = opener.open(folder, entry.name)
    } catch {
      continue
    }
    try {
      if (!isRepository(below)) removed += await sweepFolder(opener, below)
    } finally {
      below.close()
    }
  }
  return removed
}

function isInPlace(folder: Folder): boolean {
  try {
    folder.assertInPlace()
    return true
  } catch {
    return false
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function refuseIrregular(stat: Stats, action: string): void {
  if (stat.isDirectory()) throw notRegular(action, 'a folder')
  if (!stat.isFile()) throw notRegular(action, 'a pipe, socket, device or link')
  if (stat.nlink > 1) {
    throw new AppError(
      'outside_repository',
      `${action}: it has ${stat.nlink} names (hard links), of which some may lie outside`,
      {
        hint: 'Replace it by a copy of its own, then call again',
      },
    )
  }
}

const notRegular = (action: string, what: string): AppError =>
  new AppError('invalid_input', `${action}: ${what}, not a regular file`, { hint: 'Give the path of a regular file' })
const notFound = (action: string): AppError =>
  new AppError('not_found', `${action}: no such file`, { hint: 'list_files shows what there is' })
const tooLarge = (action: string, bytes: number, bytesMax: number): AppError =>
  new AppError('too_large', `${action}: ${bytes} bytes, limit ${bytesMax}`, { hint: 'Choose a smaller file' })
const readOnly = (action: string): AppError =>
  new AppError('forbidden', `${action}: the file is marked read-only`, { hint: 'Its owner can make it writable' })
const movedMeanwhile = (action: string): AppError =>
  new AppError('conflict', `${action}: it was moved or replaced meanwhile`, { hint: 'Read it again, then decide' })
const changed = (action: string, now: Stats | null): AppError =>
  new AppError(
    'conflict',
    `${action}: ${now === null ? 'it no longer exists' : 'it is not as it was when it was read'}`,
    { hint: 'Read it again, then decide' },
  )
