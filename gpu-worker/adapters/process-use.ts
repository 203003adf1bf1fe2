import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { ProcessUse } from './command-process.ts'

const PAGE_BYTES = 4096

/**
 * What the processes of a PID namespace use, by /proc. Memory is what is theirs alone: pages of files are shared. Null
 * where there is no such namespace.
 */
export function useOfNamespace(pidNamespace: number, countedMax: number): ProcessUse | null {
  const wanted = `pid:[${pidNamespace}]`
  return sum(countedMax, (pid) => readlinkSync(`/proc/${pid}/ns/pid`) === wanted)
}

/** What the processes of a process group use; null where /proc does not tell. */
export function useOfGroup(group: number, countedMax: number): ProcessUse | null {
  return sum(countedMax, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] === String(group)
  })
}

/** Counts no further than to one more than `countedMax`: with thousands of processes there is no time to look at each. */
function sum(countedMax: number, belongs: (pid: string) => boolean): ProcessUse | null {
  let processes = 0
  let bytes = 0
  for (const pid of processIds()) {
    if (processes > countedMax) break
    try {
      if (!belongs(pid)) continue
      const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number)
      processes += 1
      bytes += (resident - shared) * PAGE_BYTES
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  return processes === 0 ? null : { processes, bytes }
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
