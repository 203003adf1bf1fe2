import { constants } from 'node:fs'
import { lstat, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'

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

/**
 * Runs `work` with the path of an index outside the repository, which starts with `bytes` (null: as none). The user's
 * own index is not touched; what is left is removed.
 */
export async function withScratchIndex<T>(bytes: Uint8Array | null, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-index-'))
  try {
    const path = join(folder, 'index')
    if (bytes !== null) await writeFile(path, bytes, { mode: 0o600 })
    return await work(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The user's index, or null before the first `git add`. */
export async function readIndex(gitDir: string): Promise<{ bytes: Buffer; mode: number } | null> {
  const path = join(gitDir, 'index')
  try {
    const stat = await lstat(path)
    if (!stat.isFile())
      throw new AppError('unavailable', 'Cannot use git: the index of the repository is no regular file')
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return { bytes: await handle.readFile(), mode: stat.mode & 0o777 }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
