import { rm, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname } from 'node:path'
import { chooseStateBytes } from '../inference/state-budget.ts'

/**
 * Removes what a worker that did not end in order has left in this folder, which is the worker's alone, and answers how
 * many bytes may lie in it: `wanted`, or what disk and memory suggest. Never rejects: where something is wrong, nothing is
 * kept.
 */
export async function openStatesFolder(folder: string, wanted: number | undefined): Promise<number> {
  try {
    await rm(folder, { recursive: true, force: true })
    if (wanted !== undefined) return wanted
    const { bavail, bsize } = await statfs(dirname(folder))
    return chooseStateBytes({ diskFree: bavail * bsize, memory: totalmem() })
  } catch {
    return 0
  }
}
