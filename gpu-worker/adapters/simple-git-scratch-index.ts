import { constants } from 'node:fs'
import { lstat, mkdtemp, open, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'

const PREFIX = 'millwright-index-'
/** Far longer than anything that has such an index may take. */
const LEFT_MS = 60 * 60_000

/** Removes the indexes that killed processes of this user left, an hour old or more. What cannot be removed stays. */
export async function removeLeftIndexes(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const stat = await lstat(folder).catch(() => null)
    if (stat === null || !stat.isDirectory() || stat.uid !== process.getuid?.()) continue
    if (Date.now() - stat.mtimeMs > LEFT_MS) await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** An entry as `update-index --index-info` takes it. */
export interface IndexEntry {
  readonly path: string
  /** Null removes the path. */
  readonly blob: { readonly mode: string; readonly id: string } | null
}

/** Standard input for `update-index -z --index-info`. `idLength` is that of the repository's hash. */
export function toIndexInfo(entries: readonly IndexEntry[], idLength: number): Buffer {
  const lines = entries.map(({ path, blob }) =>
    blob === null ? `0 ${'0'.repeat(idLength)}\t${path}\0` : `${blob.mode} ${blob.id}\t${path}\0`,
  )
  return Buffer.from(lines.join(''))
}

/** An index file as it was read. */
export interface IndexFile {
  readonly bytes: Buffer
  readonly mode: number
  /** When it was written, in ms since the epoch. */
  readonly writtenMs: number
}

/**
 * Runs `work` with the path of an index outside the repository, which starts as `from` (null: as none). The user's own
 * index is not touched; what is left is removed.
 */
export async function withScratchIndex<T>(
  from: Pick<IndexFile, 'bytes' | 'writtenMs'> | null,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  try {
    const path = join(folder, 'index')
    if (from !== null) {
      await writeFile(path, from.bytes, { mode: 0o600 })
      // By this time git knows which files may have changed within the second in which the index was written, and looks
      // into them: in a copy that seems to be younger, such a change of the same size would never be seen again.
      await utimes(path, new Date(), new Date(Math.floor(from.writtenMs)))
    }
    return await work(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The user's index, or null before the first `git add`. */
export async function readIndex(gitDir: string): Promise<IndexFile | null> {
  const path = join(gitDir, 'index')
  try {
    const stat = await lstat(path)
    if (!stat.isFile())
      throw new AppError('unavailable', 'Cannot use git: the index of the repository is no regular file', {
        hint: 'A person looks at what stands at .git/index',
      })
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return { bytes: await handle.readFile(), mode: stat.mode & 0o777, writtenMs: stat.mtimeMs }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
