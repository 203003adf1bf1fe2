import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PREFIX = 'millwright-command-'
/** Where the kernel lists what limits the number of processes: its second version, or the first. */
const PLACES = ['/sys/fs/cgroup', '/sys/fs/cgroup/pids'] as const

export interface CommandCgroup {
  /** A program and arguments that put themselves into the group and become the program behind them. */
  readonly enter: readonly string[]
  /** To be called when all that ran in it has ended. */
  remove(): void
}

let made = 0

/**
 * A control group of its own with a limit on processes and threads. For root alone: the kernel exempts root from the
 * limit that other users' processes have, and only root may make one without being given it. Null where none can be made.
 */
export function createCommandCgroup(tasksMax: number): CommandCgroup | null {
  if (process.getuid?.() !== 0) return null
  const name = `${PREFIX}${process.pid}-${made++}`
  for (const place of PLACES) {
    const folder = join(place, name)
    try {
      if (!existsSync(join(place, 'cgroup.procs'))) continue
      sweep(place)
      mkdirSync(folder)
      const remove = (): void => removeFolder(folder)
      try {
        writeFileSync(join(folder, 'pids.max'), String(tasksMax))
        return { enter: ['/bin/sh', '-c', 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"', 'sh', folder], remove }
      } catch {
        remove()
      }
    } catch {
      // Read-only, as in most containers.
    }
  }
  return null
}

/** What is being taken apart still counts as inside for a moment; an empty group that stays costs nothing. */
function removeFolder(folder: string, triesLeft = 20): void {
  try {
    rmdirSync(folder)
  } catch {
    if (triesLeft > 0) setTimeout(() => removeFolder(folder, triesLeft - 1), 100).unref()
  }
}

/** What a worker left that was killed. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isInteger(pid) && !existsSync(`/proc/${pid}`)) removeFolder(join(place, name), 0)
  }
}
