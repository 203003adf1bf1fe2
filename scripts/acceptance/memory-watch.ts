import { execFileSync } from 'node:child_process'
import { residentMiB } from '../bench/resident-memory.ts'

const SAMPLE_MS = 500

/** Watches the resident memory of processes and all that they have started, added up. */
export interface MemoryWatch {
  /** The most of all samples, in MiB; null where this system does not tell it. May be called again. */
  stop(): number | null
}

/**
 * `roots` are asked for at each sample: processes die and are started again. Memory that processes share counts for each of
 * them, so the sum is rather too large than too small.
 */
export function watchMemory(roots: () => readonly number[]): MemoryWatch {
  if (process.platform !== 'linux') return { stop: () => null }
  let peak = 0
  const sample = (): void => {
    const total = withDescendants(roots(), listParents()).reduce((sum, pid) => sum + residentOrNothing(pid), 0)
    peak = Math.max(peak, total)
  }
  sample()
  const timer = setInterval(sample, SAMPLE_MS)
  return {
    stop() {
      clearInterval(timer)
      return peak
    },
  }
}

/** Children and their children, each once. `parents` has a parent for each process. */
export function withDescendants(roots: readonly number[], parents: ReadonlyMap<number, number>): number[] {
  const found = new Set(roots)
  for (let grew = true; grew; ) {
    grew = false
    for (const [pid, parent] of parents) {
      if (!found.has(parent) || found.has(pid)) continue
      found.add(pid)
      grew = true
    }
  }
  return [...found]
}

function listParents(): Map<number, number> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return new Map(
    lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([pid = 0, parent = 0]) => [pid, parent]),
  )
}

/** A process may end between the list and the look. */
function residentOrNothing(pid: number): number {
  try {
    return residentMiB(pid)
  } catch {
    return 0
  }
}
