import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { ProcessUse } from './command-process.ts'

/**
 * What the processes of a PID namespace use, by /proc. Memory is what is theirs alone, and the most that one of them
 * shares with others: how much of that is the same, the kernel does not tell. Pages of files are not counted. Null where
 * there is no such namespace.
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
  let own = 0
  let shared = 0
  for (const pid of processIds()) {
    if (processes > countedMax) break
    try {
      if (!belongs(pid)) continue
      const status = readFileSync(`/proc/${pid}/status`, 'latin1')
      processes += 1
      own += bytesIn(status, 'RssAnon')
      shared = Math.max(shared, bytesIn(status, 'RssShmem'))
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  return processes === 0 ? null : { processes, bytes: own + shared }
}

/** Of a line such as `RssAnon:  120 kB`. */
function bytesIn(status: string, name: string): number {
  const line = status.slice(status.indexOf(`\n${name}:`) + name.length + 2)
  return 1024 * (Number.parseInt(line, 10) || 0)
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
