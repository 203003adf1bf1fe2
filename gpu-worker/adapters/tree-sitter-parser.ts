import { Worker } from 'node:worker_threads'
import { AppError } from '#shared/errors.ts'
import type { SourceLanguage, SourceParser } from '../ports/source-parser.ts'
import type { ParseRequest, ThreadMessage, ThreadOutcomes, ThreadTask } from './tree-sitter-thread.ts'

export interface TreeSitterParserOptions {
  /** Wall time that one text may take. The longest of 1 MiB of ordinary code measured here is well below one second. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 5000
/** Starting a thread and loading a grammar: half a second, or many on a machine that is busy with inference. */
const START_DEADLINE_MS = 30_000

interface Pending {
  readonly request: ParseRequest
  readonly resolve: (outcome: ThreadOutcomes[ThreadTask]) => void
  readonly reject: (error: AppError) => void
}

/**
 * Tree-sitter in a thread that is ended when a text takes too long: its own timeout is not to be trusted, 200,000 `(`
 * took 102 s. The thread starts with the first call, keeps the grammars it has loaded, serves one text at a time, and is
 * replaced, lazily, after it had to be ended. It does not keep the process alive while it has nothing to do.
 */
export function createTreeSitterParser({ deadlineMs = DEADLINE_MS }: TreeSitterParserOptions = {}): SourceParser {
  const waiting: Pending[] = []
  let current: Pending | undefined
  let thread: Worker | undefined
  let timer: NodeJS.Timeout | undefined
  let nextId = 1
  let closed = false

  function settle(): Pending | undefined {
    clearTimeout(timer)
    const settled = current
    current = undefined
    return settled
  }

  function dropThread(): void {
    const old = thread
    thread = undefined
    // Ending takes effect at once for the text; nobody waits for the thread itself.
    void old?.terminate()
  }

  function onMessage(message: ThreadMessage): void {
    if (message.id !== current?.request.id) return
    if (message.kind === 'started') {
      startTimer(deadlineMs, (pending) => pending.resolve({ kind: 'timed_out', limitMs: deadlineMs }))
      return
    }
    const settled = settle()
    if (message.kind === 'failed') settled?.reject(unavailable(message.reason))
    else {
      // After running out of memory or stack the runtime's state is not to be trusted.
      if (message.outcome.kind === 'broken') dropThread()
      settled?.resolve(message.outcome)
    }
    next()
  }

  function startTimer(limitMs: number, end: (pending: Pending) => void): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      dropThread()
      const settled = settle()
      if (settled !== undefined) end(settled)
      next()
    }, limitMs)
  }

  function startThread(): Worker {
    const started = new Worker(new URL('./tree-sitter-thread.ts', import.meta.url), { env: {}, execArgv: [] })
    const onEnd = (reason: string): void => {
      if (thread !== started) return
      thread = undefined
      settle()?.resolve({ kind: 'broken', reason })
      next()
    }
    started.on('message', onMessage)
    started.on('error', (error) => onEnd(error instanceof Error ? error.message : String(error)))
    started.on('exit', (code) => onEnd(`its thread ended with code ${code}`))
    return started
  }

  function next(): void {
    if (current !== undefined || closed) return
    current = waiting.shift()
    if (current === undefined) {
      thread?.unref()
      return
    }
    thread ??= startThread()
    thread.ref()
    startTimer(START_DEADLINE_MS, (pending) => pending.reject(unavailable('it did not start in time')))
    thread.postMessage(current.request)
  }

  function ask<Task extends ThreadTask>(
    task: Task,
    language: SourceLanguage,
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<ThreadOutcomes[Task]> {
    if (closed) return Promise.reject(cancelled())
    const { promise, resolve, reject } = Promise.withResolvers<ThreadOutcomes[Task]>()
    const request = { id: nextId++, task, language, text }
    // The thread answers a request with the outcome of its task.
    const pending: Pending = { request, resolve: (outcome) => resolve(outcome as ThreadOutcomes[Task]), reject }
    const onAbort = (): void => {
      const index = waiting.indexOf(pending)
      if (index >= 0) waiting.splice(index, 1)
      // A text that is being parsed ends by itself or at its deadline; the caller need not wait for that.
      reject(cancelled())
    }
    if (signal?.aborted === true) return Promise.reject(cancelled())
    signal?.addEventListener('abort', onAbort, { once: true })
    waiting.push(pending)
    next()
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  return {
    parse: (language, text, signal) => ask('parse', language, text, signal),
    analyze: (language, text, signal) => ask('analyze', language, text, signal),
    tokenize: (language, text, signal) => ask('tokenize', language, text, signal),
    readCode: (language, text, signal) => ask('readCode', language, text, signal),
    mutate: (language, text, signal) => ask('mutate', language, text, signal),

    async close() {
      closed = true
      const unfinished = [settle(), ...waiting.splice(0)]
      for (const pending of unfinished) pending?.reject(cancelled())
      const old = thread
      thread = undefined
      await old?.terminate()
    },
  }
}

const cancelled = (): AppError => new AppError('cancelled', 'Cannot check the file: the call was cancelled')

const unavailable = (reason: string): AppError =>
  new AppError('unavailable', `Cannot start the syntax checker: ${reason}`, {
    hint: 'Install the worker again, then restart it',
  })
