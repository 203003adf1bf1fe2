import { readFileSync } from 'node:fs'
import { vi } from 'vitest'

/**
 * Resolves when a process is gone, or is only an entry that nobody has collected (as in a container whose first
 * process collects none). The kernel tells strangers of no exit, so it is asked again and again; rejects after 10 s.
 */
export async function processEnded(pid: number): Promise<void> {
  await vi.waitFor(
    () => {
      if (isAlive(pid)) throw new Error(`Process ${pid} is still running`)
    },
    { timeout: 10_000, interval: 20 },
  )
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}
