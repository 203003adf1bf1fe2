import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { StdioProgram } from './client-kinds.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'scripts', 'bridge.ts')

/** `millwright-mcp` for an endpoint, as a client's configuration names it. */
export function bridgeProgram(url: string, env: Record<string, string>, args: readonly string[] = []): StdioProgram {
  return {
    command: process.execPath,
    args: [PROGRAM, '--url', url, ...args],
    env: { PATH: process.env.PATH ?? '', NODE_OPTIONS: process.env.NODE_OPTIONS ?? '', ...env },
  }
}

/** One that a test speaks to line by line. */
export interface BareBridge {
  /** Every line of its standard output so far. */
  readonly lines: readonly string[]
  /** Its standard error so far. */
  log(): string
  send(message: object): void
  /** Resolves with the first message that is so, past or to come. */
  next(isSo: (message: BareMessage) => boolean): Promise<BareMessage>
  /** Closes its standard input and resolves with its exit status. */
  end(): Promise<number | null>
  kill(): void
}

export interface BareMessage {
  readonly id?: string | number
  readonly method?: string
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export function startBareBridge({ command, args, env }: StdioProgram): BareBridge {
  const child = spawn(command, args, { env, stdio: 'pipe' })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const hear of waiting) hear(line)
  })
  return {
    lines,
    log: () => log,
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    next: (isSo) =>
      new Promise((resolve, reject) => {
        const hear = (line: string) => {
          const message = JSON.parse(line) as BareMessage
          if (!isSo(message)) return
          waiting.delete(hear)
          resolve(message)
        }
        waiting.add(hear)
        for (const line of [...lines]) hear(line)
        void exited.then((status) => reject(new Error(`The bridge ended with ${status}: ${log}`)))
      }),
    end() {
      child.stdin.end()
      return exited
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
