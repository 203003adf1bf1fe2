import { AppError } from '#shared/errors.ts'
import type { GitOutput } from './simple-git-run.ts'

/** A refusal for a git that failed. What git printed stays in the cause: it names absolute paths. */
export function toGitError(action: string, output: Pick<GitOutput, 'stderr' | 'exitCode' | 'cut'>): AppError {
  const cause = new Error(`git ended with ${output.exitCode}: ${output.stderr}`)
  if (output.cut) {
    return new AppError('too_large', `${action}: git answers with more than is taken`, {
      hint: 'Ask for one path',
      cause,
    })
  }
  if (isLocked(output)) return lockedRefusal(action, cause)
  if (/No space left on device|Disk quota exceeded/iu.test(output.stderr)) {
    return new AppError('disk_full', `${action}: no space left on the disk`, {
      hint: 'Free space, then call again',
      cause,
    })
  }
  if (/Permission denied|Read-only file system/iu.test(output.stderr)) {
    return new AppError('unavailable', `${action}: the file system denies this server access`, { cause })
  }
  return new AppError('unavailable', `${action}: git refuses`, {
    hint: 'Run git status and git fsck in the repository to see what is wrong with it',
    cause,
  })
}

/** True where git gave up because another process holds a lock file. */
export const isLocked = (output: Pick<GitOutput, 'stderr'>): boolean =>
  /\.lock': File exists|Unable to create '.*\.lock'|cannot lock ref .*\.lock/u.test(output.stderr)

export const lockedRefusal = (action: string, cause?: unknown): AppError =>
  new AppError('repository_busy', `${action}: another process holds a lock of the repository`, {
    hint: 'Call again when the other git is done. If no git runs, one was killed: its index.lock (or ref .lock) in the git folder has to be removed by a person',
    cause,
  })
