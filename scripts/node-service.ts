import { describeExit, spawnBound } from './bound-process.ts'
import type { Service } from './supervisor.ts'

export interface NodeServiceOptions {
  readonly name: string
  /** The program, a TypeScript or JavaScript file. */
  readonly file: string
  readonly args?: readonly string[]
  /** Read at each start, since a service before it may have got another address meanwhile. */
  readonly environment: () => Record<string, string>
  readonly log: (line: string) => void
  readonly readyTimeoutMs?: number
  readonly stopGraceMs?: number
  /** Whether a message on its IPC channel says that it is ready. Left out: as programs of ours say it. */
  readonly isReady?: (message: unknown) => boolean
  /** Ours where left out. */
  readonly cwd?: string
}

const READY_TIMEOUT_MS = 30_000
/** A worker that ends in an orderly way finishes a write and gives its job back; it waits for no model. */
const STOP_GRACE_MS = 10_000
const LINES_KEPT = 20

/** A Node program. One of ours is ready when it has sent `{ type: 'ready' }` over its IPC channel. */
export function createNodeService(options: NodeServiceOptions): Service {
  const { name, file, args = [], log, readyTimeoutMs = READY_TIMEOUT_MS, stopGraceMs = STOP_GRACE_MS } = options
  const isReady = options.isReady ?? isOurReady
  return {
    name,
    async start(signal) {
      signal.throwIfAborted()
      const lines: string[] = []
      const ready = Promise.withResolvers<'ready'>()
      const child = await spawnBound({
        command: process.execPath,
        args: [file, ...args],
        env: { ...process.env, ...options.environment() },
        channel: true,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        onLine: (line) => {
          lines.push(line)
          if (lines.length > LINES_KEPT) lines.shift()
          log(`[${name}] ${line}`)
        },
        onMessage: (message) => {
          if (isReady(message)) ready.resolve('ready')
        },
      })
      const given = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)])
      const aborted = Promise.withResolvers<'aborted'>()
      given.addEventListener('abort', () => aborted.resolve('aborted'), { once: true })
      const outcome = await Promise.race([ready.promise, child.exited, aborted.promise])
      if (outcome === 'ready') return { ...child, stop: () => child.stop(stopGraceMs) }

      await child.stop(stopGraceMs)
      const reason =
        outcome !== 'aborted'
          ? `it ended with ${describeExit(outcome)}`
          : signal.aborted
            ? 'stopped while starting'
            : `not ready after ${readyTimeoutMs / 1000} s`
      throw new Error([`Cannot start ${name}: ${reason}`, ...lines.map((line) => `  ${line}`)].join('\n'))
    },
  }
}

function isOurReady(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
}
