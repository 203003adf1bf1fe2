import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { AppError } from '#shared/errors.ts'
import type { CommandLimit } from '../ports/command-runner.ts'
import { createOutputTail, type OutputTail } from './command-output.ts'

/** Printed by a command before it is stopped: no tool that has something to say says more. */
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024
/** Between two looks at what a command uses. A fork bomb makes some thousand processes in this time, of 32,768 or more. */
const LOOK_MS = 100
/** After the end of everything by SIGKILL: the kernel has to free the memory. */
const END_MS = 10_000

export interface ProcessUse {
  readonly processes: number
  readonly bytes: number
}

export interface CommandProcessOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly processesMax: number
  readonly memoryBytesMax: number
  /** What everything that the command started uses now; null where that cannot be told (yet). */
  readonly use: (pid: number, status: string) => ProcessUse | null
}

export interface CommandProcessEnd {
  /** Null where a signal ended the process that we started. */
  readonly exitCode: number | null
  readonly output: OutputTail
  /** What it wrote to descriptor 3. */
  readonly status: string
  /** Set where we ended it. */
  readonly stopped: { readonly why: CommandLimit; readonly limit: string } | null
  /** From its start to the end of its output. */
  readonly durationMs: number
}

/**
 * Runs a program in a process group of its own with nothing but its three standard streams and descriptor 3, and kills the
 * group at the first limit. Resolves when all that holds its output has ended. Rejects with `cancelled`, in the same way,
 * and with `unavailable` where it cannot be started.
 */
export async function runCommandProcess(options: CommandProcessOptions): Promise<CommandProcessEnd> {
  const { program, args, cwd, env, timeoutMs, signal, processesMax, memoryBytesMax, use } = options
  const isCancelled = (): boolean => signal?.aborted === true
  if (isCancelled()) throw cancelled()
  const startedAt = performance.now()
  const child = spawn(program, [...args], {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...covers()],
  })
  const output = createOutputTail()
  let status = ''
  let stopped: CommandProcessEnd['stopped'] = null
  const stop = (why: CommandLimit, limit: string): void => {
    stopped ??= { why, limit }
    killGroup(child)
  }
  const onOutput = (chunk: Buffer): void => {
    output.add(chunk)
    if (output.bytes() > OUTPUT_BYTES_MAX) stop('output', `it printed more than ${toMegabytes(OUTPUT_BYTES_MAX)}`)
  }
  child.stdout?.on('data', onOutput)
  child.stderr?.on('data', onOutput)
  const statusStream = child.stdio[3] as Readable | null
  statusStream?.on('data', (chunk: Buffer) => {
    status = (status + chunk.toString('utf8')).slice(0, 4096)
  })
  const look = (): void => {
    const now = child.pid === undefined ? null : use(child.pid, status)
    if (now === null) return
    if (now.processes > processesMax) stop('processes', `it started more than ${processesMax} processes`)
    if (now.bytes > memoryBytesMax) stop('memory', `it used more than ${toMegabytes(memoryBytesMax)} of memory`)
  }
  const onAbort = (): void => killGroup(child)
  const timer = setTimeout(() => stop('time', `it did not end within ${Math.round(timeoutMs / 1000)} s`), timeoutMs)
  const looking = setInterval(look, LOOK_MS)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const exitCode = await ended(child)
    if (isCancelled()) throw cancelled()
    return { exitCode, output, status, stopped, durationMs: performance.now() - startedAt }
  } finally {
    clearTimeout(timer)
    clearInterval(looking)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Resolves when the process has ended and its streams have; what it left behind in its group is killed first. */
function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Timeout | undefined
    child.once('error', (cause) => reject(unavailable(cause.message, cause)))
    child.once('exit', () => {
      killGroup(child)
      // A process that left the group may hold the streams open; a sandbox has none such.
      late = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy()
      }, END_MS)
    })
    child.once('close', (code: number | null) => {
      clearTimeout(late)
      resolve(code)
    })
  })
}

/**
 * What is to take the place of each descriptor above 3 that this process was started with and would hand on: a child closes
 * only what is marked so, as everything is that we open ourselves.
 */
function covers(): (number | 'ignore')[] {
  const found: (number | 'ignore')[] = []
  for (const fd of inheritedDescriptors()) {
    while (found.length < fd - 4) found.push('ignore')
    found.push(devNull())
  }
  return found
}

/** Marks a descriptor that ends with exec, in /proc/PID/fdinfo. */
const CLOSE_ON_EXEC = 0o2000000

const inheritedDescriptors = once((): number[] => {
  const inherited: number[] = []
  for (const name of existsSync('/proc/self/fdinfo') ? readdirSync('/proc/self/fdinfo') : []) {
    const flags = /^flags:\s*(\d+)$/m.exec(readOrEmpty(`/proc/self/fdinfo/${name}`))?.[1]
    if (Number(name) > 3 && flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0)
      inherited.push(Number(name))
  }
  return inherited.sort((a, b) => a - b)
})

const devNull = once(() => openSync('/dev/null', 'r'))

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

const toMegabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`

const cancelled = (): AppError => new AppError('cancelled', 'Cannot run a command: the call was cancelled')

const unavailable = (reason: string, cause: Error): AppError =>
  new AppError('unavailable', `Cannot start a command: ${reason}`, { cause })
