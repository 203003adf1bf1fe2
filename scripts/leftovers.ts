import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { readFileIfAny, writePrivateFile } from './private-files.ts'

const Processes = v.pipe(
  v.string(),
  v.parseJson(),
  v.array(v.object({ name: v.string(), pid: v.pipe(v.number(), v.integer(), v.minValue(2)), started: v.string() })),
)

/** A little more than the children of a killed stack give themselves to end (see bound-process.ts). */
const WAIT_MS = 8000

/** Notes which processes belong to the stack, so that the next one can tell whether they are gone. */
export function recordProcesses(file: string, pids: Record<string, number>): void {
  const processes = Object.entries(pids).flatMap(([name, pid]) => {
    const started = startOf(pid)
    return started === undefined ? [] : [{ name, pid, started }]
  })
  writePrivateFile(file, `${JSON.stringify(processes)}\n`)
}

/**
 * Waits for the children of a stack that was killed, and ends by force those that do not end. Two servers on one
 * JetStream store, or two workers on one repository, must never be.
 */
export async function endLeftovers(file: string, log: (line: string) => void, waitMs = WAIT_MS): Promise<void> {
  const parsed = v.safeParse(Processes, readFileIfAny(file) ?? '[]')
  if (!parsed.success) return
  const deadline = Date.now() + waitMs
  for (const { name, pid, started } of parsed.output) {
    while (startOf(pid) === started && Date.now() < deadline) await sleep(50)
    if (startOf(pid) !== started) continue
    log(`Ending ${name} of a stack that was killed (process ${pid})`)
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended just now.
    }
  }
}

/** When a running process started, in whatever form the system tells it; undefined where there is none. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
    }
    // The second field is the program's name and may hold spaces and brackets: the rest begins after the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
