import { randomUUID } from 'node:crypto'
import { readdir, rm, rmdir, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { chooseStateBytes } from '../inference/state-budget.ts'

/** A folder for one life of a model's process, so that what it left half written goes with it. Named after the worker. */
export const nameStates = (folder: string): string => join(folder, `${process.pid}-${randomUUID()}`)

/**
 * Removes what workers that did not end in order have left in this folder, and answers how many bytes may lie in it:
 * `wanted`, or what disk and memory suggest. To be called before this process keeps anything there. Never rejects: where
 * something is wrong, nothing is kept.
 */
export async function openStatesFolder(folder: string, wanted: number | undefined): Promise<number> {
  try {
    await removeLeft(folder)
    if (wanted !== undefined) return wanted
    const { bavail, bsize } = await statfs(dirname(folder))
    return chooseStateBytes({ diskFree: bavail * bsize, memory: totalmem() })
  } catch {
    return 0
  }
}

async function removeLeft(folder: string): Promise<void> {
  const names = await readdir(folder).catch(noneIfMissing)
  for (const name of names) {
    const worker = Number(/^(\d+)-/.exec(name)?.[1])
    if (!isAnother(worker)) await rm(join(folder, name), { recursive: true, force: true })
  }
  await rmdir(folder).catch(() => undefined)
}

/** In a container a worker that is started again has the number of the one before. */
function isAnother(processId: number): boolean {
  if (!Number.isInteger(processId) || processId === process.pid) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function noneIfMissing(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}
