import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '#shared/errors.ts'

export interface RepositoryHold {
  release(): void
}

const SQLITE_BUSY = 5

/**
 * Makes this process the one worker of a repository, whatever workspace, data folder or message bus another has: two
 * would each let an agent of their own write one file. Throws `conflict` where another process has it.
 *
 * The lock is SQLite's on an empty file in git's folder: the kernel gives it up when its holder ends, however it ends.
 */
export function holdRepository(gitDir: string): RepositoryHold {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(gitDir, 'millwright.lock'), { timeout: 0 })
    database.exec('begin exclusive')
  } catch (cause) {
    database?.close()
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
      throw new AppError('conflict', 'Cannot open the repository: another worker serves it', {
        hint: 'Stop that one first; a second data folder or workspace needs a clone of its own',
        cause,
      })
    }
    throw new AppError('unavailable', 'Cannot open the repository: its lock cannot be used', {
      hint: "Make git's folder writable for this worker, and remove millwright.lock from it",
      cause,
    })
  }
  const held = database
  return { release: () => held.close() }
}
