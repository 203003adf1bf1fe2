import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { lockedRefusal } from './simple-git-errors.ts'

/** First and longest pause between two tries; each is twice the one before. */
const PAUSE_MS_MIN = 10
const PAUSE_MS_MAX = 250

/** The lock that git itself takes before it changes the index: the same file, made the same way. */
export interface IndexLock {
  /** Puts the new index into the lock file, durably. Nothing is visible yet. */
  stage(bytes: Uint8Array, mode: number): Promise<void>
  /** Makes the staged index the real one, and so gives the lock back. */
  commit(): Promise<void>
  /** Gives the lock back. Does nothing after `commit`. */
  release(): Promise<void>
}

/** Repeats `attempt` until it yields a value. Rejects with `repository_busy` once the deadline has passed. */
export async function retryWhileLocked<T>(
  action: string,
  deadlineMs: number,
  attempt: () => Promise<T | 'locked'>,
): Promise<T> {
  const end = performance.now() + deadlineMs
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const result = await attempt()
    if (result !== 'locked') return result
    const left = end - performance.now()
    if (left <= 0) throw lockedRefusal(action)
    await setTimeout(Math.min(pauseMs, left))
  }
}

/** Takes the lock of the index, waiting while another process holds it. A foreign lock is never removed. */
export async function lockIndex(gitDir: string, action: string, deadlineMs: number): Promise<IndexLock> {
  const index = join(gitDir, 'index')
  const lock = `${index}.lock`
  const handle = await retryWhileLocked(action, deadlineMs, () => tryCreate(lock))
  let held = true
  return {
    async stage(bytes, mode) {
      await handle.writeFile(bytes)
      await handle.chmod(mode)
      await handle.sync()
    },
    async commit() {
      await handle.close()
      await rename(lock, index)
      held = false
    },
    async release() {
      if (!held) return
      held = false
      await handle.close().catch(() => undefined)
      await unlink(lock)
    },
  }
}

async function tryCreate(path: string): Promise<FileHandle | 'locked'> {
  try {
    return await open(path, 'wx', 0o666)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return 'locked'
    throw error
  }
}
