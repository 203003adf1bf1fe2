import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** How a process ended. */
export interface ExitReport {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

export interface BoundProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Opens an IPC channel, for a Node child. */
  readonly channel?: boolean
  /** Each line of standard output and standard error. */
  readonly onLine: (line: string) => void
  readonly onMessage?: (message: unknown) => void
}

/** A child process that cannot outlive this one, however this one ends. */
export interface BoundProcess {
  readonly pid: number
  /** Resolves when the process has ended and nothing that it started in its group is left. Never rejects. */
  readonly exited: Promise<ExitReport>
  /** SIGTERM, then SIGKILL for the whole group when it has not ended after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<ExitReport>
  /** SIGKILL for the whole group, at once. */
  kill(): void
}

const bound = new Set<BoundProcess>()

/** SIGKILL for every child that `spawnBound` started and all that they started, for a person who will not wait. */
export function killBoundProcesses(): void {
  for (const child of bound) child.kill()
}

// A shell starts a watcher and then becomes the program. The alternatives do less: PR_SET_PDEATHSIG is Linux only, and
// IPC's "disconnect" needs a child of ours whose event loop still turns.
const LIFELINE = join(import.meta.dirname, 'lifeline.sh')

/**
 * Starts a program in a process group of its own, so that a terminal's Ctrl-C reaches only us, and ties its life to
 * ours. Rejects where it cannot be started at all; a program that does not exist ends with status 127.
 */
export async function spawnBound(options: BoundProcessOptions): Promise<BoundProcess> {
  const child = spawn('/bin/sh', [LIFELINE, options.command, ...options.args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', options.channel === true ? 'ipc' : 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`Cannot start ${options.command}: no process id`)
  // A write to a child that has just ended is no news: its end is reported by itself.
  child.on('error', () => undefined)
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', options.onLine)
  }
  if (options.onMessage !== undefined) child.on('message', options.onMessage)

  // The watcher is a member of the group for as long as we have not killed it, so the group's id is still ours when
  // the program has ended; what the program left behind ends with it.
  const kill = () => signalGroup(pid, 'SIGKILL')
  child.once('exit', kill)
  const exited = new Promise<ExitReport>((resolve) => {
    child.once('close', (status: number | null, signal: NodeJS.Signals | null) => {
      child.stdio[4]?.destroy()
      resolve({ status, signal })
    })
  })
  const result: BoundProcess = {
    pid,
    exited,
    kill: () => {
      if (isRunning(child)) kill()
    },
    async stop(graceMs) {
      if (isRunning(child)) child.kill('SIGTERM')
      const timer = setTimeout(kill, graceMs)
      try {
        return await exited
      } finally {
        clearTimeout(timer)
      }
    },
  }
  bound.add(result)
  void exited.then(() => bound.delete(result))
  return result
}

/** How a process ended, in words. */
export function describeExit({ status, signal }: ExitReport): string {
  return signal === null ? `exit status ${status}` : signal
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}
