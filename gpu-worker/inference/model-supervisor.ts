import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '#shared/errors.ts'
import type { ModelInfo, WorkerInfo } from '#shared/schemas/worker.ts'
import type {
  GenerateOptions,
  GenerateProgress,
  GenerateRequest,
  GenerateResult,
  LanguageModel,
} from '../ports/language-model.ts'
import { awaitOtherFile } from './await-other-file.ts'
import { CallQueue, type QueuedCall } from './call-queue.ts'
import { toChildGrammar } from './child-grammar.ts'
import type { ChildProgress, ChildReply, ChildRequest } from './child-protocol.ts'
import { type Asked, type AskOptions, ChildDied, ChildSession, type Unnumbered } from './child-session.ts'
import { draftRefused } from './draft-refused.ts'
import type { Levers } from './levers.ts'
import type { SpawnModelChild } from './model-child.ts'
import { chooseDefaultModel, describeRemote, type ModelReference } from './models.ts'

export interface ModelSupervisorOptions {
  readonly reference: ModelReference
  readonly spawn: SpawnModelChild
  /**
   * Refuses (AppError `model_unavailable`) what is no loadable model file, or not the wanted one, before a process is risked
   * on it. Ends early when the signal is aborted.
   */
  readonly inspect: (path: string, signal: AbortSignal) => Promise<void>
  /** Differs whenever the file does; null where there is none. */
  readonly fingerprint: (path: string) => Promise<string | null>
  /** The file behind `embedded`. */
  readonly embeddedPath: string
  /** Where downloads are kept. */
  readonly modelsFolder: string
  readonly threads: number | null
  readonly contextTokensMax: number
  /** Answers at the same time; null lets the child choose by memory. */
  readonly slots: number | null
  readonly levers: Levers
  readonly queueMax: number
  readonly log: (line: string) => void
  readonly times: SupervisorTimes
}

/** In milliseconds. */
export interface SupervisorTimes {
  /** A generation that brings no token and no piece of prompt for this long hangs. */
  readonly silenceMax: number
  /** Loading allocates for a while without a sign. */
  readonly loadSilenceMax: number
  readonly downloadSilenceMax: number
  /** An attempt that failed for a reason outside (network, memory) is repeated by a call after this time. */
  readonly retryAfter: number
  /** Before the first, second, ... restart in a row; the last one for all further ones. */
  readonly restartDelays: readonly number[]
  /** A cancelled generation that has not ended by then costs its process. */
  readonly abortGrace: number
  /** Between two looks for another file while the model is stopped for the sake of its file. */
  readonly fileLook: number
}

type State =
  | { readonly kind: 'idle' }
  /** Choosing, connecting, checking the file: seconds. */
  | { readonly kind: 'preparing'; readonly what: string }
  | { readonly kind: 'downloading'; readonly bytes: number; readonly bytesTotal: number | null }
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly contextTokens: number; readonly slots: number; readonly what: string }
  | {
      readonly kind: 'stopped'
      readonly state: 'missing' | 'failed'
      readonly error: AppError
      /** On the performance clock; null: only a changed file or a person helps. */
      readonly retryAt: number | null
    }
  | { readonly kind: 'closed' }

interface Call extends QueuedCall {
  readonly request: CallRequest
  readonly options: GenerateOptions
  readonly settle: (outcome: ChildReply | AppError) => void
  asked: Asked | null
  /** On the performance clock: when it came, and when its last attempt began. */
  readonly arrivedAt: number
  startedAt: number
}

type CallRequest = Unnumbered<Extract<ChildRequest, { kind: 'generate' | 'count' }>>

/**
 * A model in a process of its own, kept alive. Knows no engine: the process comes from `spawn`.
 *
 * A crash costs each call at work one more attempt, which it makes alone; a second crash on the same call makes it
 * `model_unavailable`. Two crashes in a row
 * while loading quarantine the model until its file changes or `retry` is called; so does a file that is missing or
 * damaged, and a file that changes is noticed without a call. Calls wait while it loads, but not while it downloads.
 */
export class ModelSupervisor implements LanguageModel {
  readonly #options: ModelSupervisorOptions
  readonly #queue: CallQueue<Call>
  readonly #closing = new AbortController()
  #state: State = { kind: 'idle' }
  #name: string
  #session: ChildSession | null = null
  #bringingUp: Promise<void> | null = null
  /** Of the file that the last attempt used. */
  #file: { path: string; fingerprint: string | null } | null = null
  #stopAwaiting: (() => void) | null = null
  #loadCrashes = 0
  /** Since the last answer. */
  #crashes = 0

  constructor(options: ModelSupervisorOptions) {
    this.#options = options
    this.#queue = new CallQueue(options.queueMax)
    this.#name = options.reference.name
  }

  get name(): string {
    return this.#name
  }

  info(): ModelInfo {
    const state = this.#state
    return {
      name: this.#name,
      ...describeState(state),
      download: state.kind === 'downloading' ? { bytes: state.bytes, bytes_total: state.bytesTotal } : null,
      context_tokens: state.kind === 'ready' ? state.contextTokens : null,
      queued: this.#queue.size,
    }
  }

  /** The first GPU that the model's process sees; null without one, and before the model is loaded. */
  gpu(): WorkerInfo['gpu'] {
    const gpu = this.#session?.status?.gpu ?? null
    return gpu && { name: gpu.name, memory_bytes: gpu.memoryBytes, memory_used_bytes: gpu.memoryUsedBytes }
  }

  memoryBytes(): number | null {
    return this.#session?.status?.residentBytes ?? null
  }

  /** Of the process that holds the model, or is about to; null while there is none. */
  processId(): number | null {
    return this.#session?.processId ?? null
  }

  /** Begins to load, or to download, unless that is done or under way. Lifts a quarantine. */
  retry(): void {
    if (this.#state.kind === 'closed' || this.#state.kind === 'ready') return
    this.#loadCrashes = 0
    this.#bringUp()
  }

  async generate(request: GenerateRequest, options: GenerateOptions): Promise<GenerateResult> {
    if (!(request.answerTokensMax >= 1)) throw new AppError('invalid_input', 'Cannot answer: no room for one token')
    const call = {
      kind: 'generate' as const,
      turns: request.turns.map(({ role, text }) => ({ role, text })),
      cacheKey: request.cacheKey ?? '',
      answerTokensMax: Math.floor(request.answerTokensMax),
      temperature: request.temperature,
      grammar: request.grammar === undefined ? null : toChildGrammar(request.grammar),
    }
    const { reply, queueMs } = await this.#call(call, options)
    if (reply.kind !== 'answer') throw new Error(`The model process answered a generation with ${reply.kind}`)
    return {
      text: reply.text,
      stopReason: reply.stopReason,
      usage: {
        prompt_tokens: reply.promptTokens,
        cached_prompt_tokens: reply.cachedTokens,
        completion_tokens: reply.answerTokens,
        queue_ms: queueMs,
        time_to_first_token_ms: reply.timeToFirstTokenMs,
        tokens_per_second: reply.tokensPerSecond,
        model: this.#name,
      },
    }
  }

  async countTokens(text: string, signal: AbortSignal): Promise<number> {
    const { reply } = await this.#call({ kind: 'count', text }, { signal })
    if (reply.kind !== 'counted') throw new Error(`The model process answered a count with ${reply.kind}`)
    return reply.tokens
  }

  async close(): Promise<void> {
    this.#enter({ kind: 'closed' })
    this.#closing.abort()
    for (const call of this.#queue.all()) this.#settle(call, cancelled('the worker is stopping'))
    const session = this.#session
    session?.kill('was ended')
    await session?.exited
    await this.#bringingUp
  }

  async #call(request: CallRequest, options: GenerateOptions): Promise<{ reply: ChildReply; queueMs: number }> {
    const arrivedAt = performance.now()
    throwIfCancelled(options.signal)
    if (this.#state.kind === 'closed') throw new AppError('model_unavailable', 'Cannot answer: the worker is stopping')
    await this.#wake()
    throwIfCancelled(options.signal)
    throwIfCancelled(this.#closing.signal)
    this.#throwIfStopped()
    if (this.#queue.full) throw this.#busy()

    const { promise, resolve, reject } = Promise.withResolvers<ChildReply>()
    const call: Call = {
      request,
      options,
      takesSlot: request.kind === 'generate',
      key: request.kind === 'generate' ? request.cacheKey : '',
      attempts: 0,
      asked: null,
      arrivedAt,
      startedAt: arrivedAt,
      settle: (outcome) => (outcome instanceof AppError ? reject(outcome) : resolve(outcome)),
    }
    this.#queue.add(call)
    const onAbort = () => this.#abort(call)
    options.signal.addEventListener('abort', onAbort, { once: true })
    this.#pump()
    if (!this.#queue.isRunning(call)) reportPhase(call, this.#state.kind === 'ready' ? 'queued' : 'loading_model')
    try {
      return { reply: await promise, queueMs: Math.round(call.startedAt - call.arrivedAt) }
    } finally {
      options.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Starts what may start by now: the first attempt, one whose time has come, one whose file has changed. */
  async #wake(): Promise<void> {
    if (this.#bringingUp !== null) return
    if (this.#state.kind === 'idle') return this.#bringUp()
    if (this.#state.kind !== 'stopped') return
    const { retryAt } = this.#state
    if (retryAt !== null && performance.now() >= retryAt) return this.#bringUp()
    if (this.#file === null) return
    const { path, fingerprint } = this.#file
    if ((await this.#options.fingerprint(path)) !== fingerprint) this.retry()
  }

  #throwIfStopped(): void {
    const state = this.#state
    if (state.kind === 'stopped') throw state.error
    if (state.kind === 'downloading') throw downloadingError(this.#name, state)
  }

  #busy(): AppError {
    const waiting = this.#queue.size
    return new AppError('busy', `Cannot answer: ${waiting} calls wait for the model, limit ${this.#options.queueMax}`, {
      hint: 'Try again when one of them is done',
      // A small edit takes a 7B model on a GPU a few seconds.
      details: { retry_after_ms: Math.min(60_000, 3000 * waiting), queued: waiting },
    })
  }

  // Calls in flight

  #pump(): void {
    const session = this.#session
    if (this.#state.kind !== 'ready' || session === null || !session.alive) return
    for (
      let call = this.#queue.next(this.#state.slots);
      call !== undefined;
      call = this.#queue.next(this.#state.slots)
    ) {
      void this.#run(session, call)
    }
  }

  async #run(session: ChildSession, call: Call): Promise<void> {
    call.attempts++
    call.startedAt = performance.now()
    const asked = session.ask(call.request, {
      silenceMsMax: this.#options.times.silenceMax,
      onProgress: (progress) => forwardProgress(call, progress),
    })
    call.asked = asked
    try {
      const reply = await asked.reply
      this.#crashes = 0
      this.#settle(call, call.options.signal.aborted ? cancelled() : reply)
    } catch (error) {
      if (error instanceof ChildDied) this.#survive(call, error)
      else this.#settle(call, toAppError(error))
    }
    this.#pump()
  }

  /** A call whose process died: once more, unless it was its second, or nobody waits for it. */
  #survive(call: Call, death: ChildDied): void {
    call.asked = null
    if (this.#state.kind === 'closed' || call.options.signal.aborted) {
      this.#settle(call, cancelled())
      return
    }
    if (call.attempts < 2) {
      this.#queue.putBack(call)
      reportPhase(call, 'loading_model')
      return
    }
    this.#settle(
      call,
      new AppError('model_unavailable', `Cannot answer: the model process ${death.message}, twice on this call`, {
        hint: 'Try a smaller task or other context files; get_server_info shows the state of the model',
        details: { log: death.log.slice(-12) },
      }),
    )
  }

  #abort(call: Call): void {
    const session = this.#session
    const { asked } = call
    if (asked === null || session === null) {
      this.#settle(call, cancelled())
      return
    }
    session.abort(asked.id)
    const { abortGrace } = this.#options.times
    const timer = setTimeout(() => session.kill(`did not end a cancelled call within ${abortGrace} ms`), abortGrace)
    const clear = () => clearTimeout(timer)
    asked.reply.then(clear, clear)
  }

  #settle(call: Call, outcome: ChildReply | AppError): void {
    this.#queue.remove(call)
    call.settle(outcome)
  }

  // The process

  #bringUp(): void {
    if (this.#bringingUp !== null || this.#state.kind === 'closed') return
    // Before the first await: whoever calls next must wait for this attempt, not meet the last one's error.
    this.#enter({ kind: 'preparing', what: 'Starting' })
    this.#bringingUp = this.#attempts().finally(() => {
      this.#bringingUp = null
    })
  }

  /** Tries until the model is ready or stopped. Never rejects. */
  async #attempts(): Promise<void> {
    for (;;) {
      await this.#pause(this.#crashes + this.#loadCrashes)
      if (this.#state.kind === 'closed') return
      const session = new ChildSession(this.#options.spawn)
      this.#session = session
      try {
        await this.#prepare(session)
        void session.exited.then((how) => this.#revive(session, how))
        this.#pump()
        return
      } catch (error) {
        session.kill('was ended')
        await session.exited
        if (this.#session === session) this.#session = null
        if (this.#closing.signal.aborted) return
        if (error instanceof ChildDied && ++this.#loadCrashes < 2) {
          this.#options.log(`Model process ${error.message} while loading; trying once more`)
          continue
        }
        this.#stop(error, session.logTail())
        return
      }
    }
  }

  async #prepare(session: ChildSession): Promise<void> {
    const { source } = this.#options.reference
    this.#file = null
    let path = source.kind === 'embedded' ? this.#options.embeddedPath : source.kind === 'file' ? source.path : null
    if (path === null) {
      const uri = source.kind === 'remote' ? source.uri : await this.#chooseDefault(session)
      path = await this.#download(session, uri)
    }
    this.#file = { path, fingerprint: await this.#options.fingerprint(path) }
    this.#enter({ kind: 'preparing', what: 'Checking the file' })
    await this.#options.inspect(path, this.#closing.signal)
    if (this.#options.levers.draftModel !== null) await this.#inspectDraft(this.#options.levers.draftModel)

    this.#enter({ kind: 'loading' })
    const { threads, contextTokensMax, slots, levers, times } = this.#options
    const reply = await session.ask(
      { kind: 'load', path, threads, contextTokensMax, slots, levers },
      { silenceMsMax: times.loadSilenceMax },
    ).reply
    if (reply.kind !== 'loaded') throw new Error(`The model process answered a load with ${reply.kind}`)
    this.#loadCrashes = 0
    const where = reply.gpuLayers > 0 ? `${reply.gpuLayers} layers on the GPU` : `on the CPU, threads: ${reply.threads}`
    const slotsText = reply.slots === 1 ? 'one answer' : `${reply.slots} answers`
    const what = `Ready, ${where}, context of ${reply.contextTokens} tokens, ${slotsText} at a time`
    this.#options.log(`Model ${this.#name}: ${what}`)
    this.#enter({ kind: 'ready', contextTokens: reply.contextTokens, slots: reply.slots, what })
  }

  async #inspectDraft(path: string): Promise<void> {
    try {
      await this.#options.inspect(path, this.#closing.signal)
    } catch (error) {
      throw draftRefused(path, toAppError(error).message, error)
    }
  }

  async #chooseDefault(session: ChildSession): Promise<string> {
    this.#enter({ kind: 'preparing', what: 'Looking at the machine to choose a model' })
    const reply = await session.ask({ kind: 'probe' }, { silenceMsMax: this.#options.times.silenceMax }).reply
    if (reply.kind !== 'machine') throw new Error(`The model process answered a probe with ${reply.kind}`)
    const { name, source } = chooseDefaultModel(reply.machine)
    this.#name = name
    return source.uri
  }

  async #download(session: ChildSession, uri: string): Promise<string> {
    this.#enter({ kind: 'preparing', what: 'Looking for the file, and for the server that has it' })
    const options: AskOptions = {
      silenceMsMax: this.#options.times.downloadSilenceMax,
      onProgress: (progress) => {
        if (progress.kind !== 'downloading') return
        this.#enter({ kind: 'downloading', bytes: progress.bytes, bytesTotal: progress.bytesTotal })
      },
    }
    try {
      const reply = await session.ask({ kind: 'download', uri, folder: this.#options.modelsFolder }, options).reply
      if (reply.kind !== 'downloaded') throw new Error(`The model process answered a download with ${reply.kind}`)
      return reply.path
    } catch (error) {
      const why = error instanceof ChildDied ? `the download ${error.message}` : toAppError(error).message
      throw new DownloadFailed(this.#name, uri, why)
    }
  }

  #stop(error: unknown, log: string[]): void {
    const { retryAfter } = this.#options.times
    const later = performance.now() + retryAfter
    if (error instanceof DownloadFailed) {
      const hint = `Download ${describeRemote(error.uri)} on another machine and start with --model PATH, or set HF_ENDPOINT to a mirror. The next call after ${Math.round(retryAfter / 1000)} s tries again`
      this.#enterStopped('missing', new AppError('model_unavailable', error.message, { hint }), later)
    } else if (error instanceof ChildDied) {
      const refusal = new AppError(
        'model_unavailable',
        `Cannot load ${this.#name}: the model process ${error.message}, twice in a row`,
        {
          hint: 'The file may be damaged or too large for this machine: replace it, or choose another with --model. It is tried again when the file changes or the worker restarts',
          details: { log: error.log.slice(-12) },
        },
      )
      this.#enterStopped('failed', refusal, null)
    } else if (error instanceof AppError && error.details?.file !== undefined) {
      // The file itself was refused: nothing but another file helps.
      this.#enterStopped(error.details.file === 'missing' ? 'missing' : 'failed', error, null)
    } else {
      const refusal = new AppError('model_unavailable', `Cannot load ${this.#name}: ${toAppError(error).message}`, {
        hint: 'Free memory, or choose a smaller model with --model; the log of the engine is in the details',
        details: { log: log.slice(-12) },
        cause: error,
      })
      this.#enterStopped('failed', refusal, later)
    }
  }

  #enterStopped(state: 'missing' | 'failed', error: AppError, retryAt: number | null): void {
    this.#options.log(`${error.message}. ${error.hint ?? ''}`)
    this.#enter({ kind: 'stopped', state, error, retryAt })
    if (retryAt !== null || this.#file === null || this.#state.kind !== 'stopped') return
    const { path, fingerprint } = this.#file
    this.#stopAwaiting = awaitOtherFile({
      fingerprint: () => this.#options.fingerprint(path),
      known: fingerprint,
      intervalMs: this.#options.times.fileLook,
      onOther: () => this.retry(),
    })
  }

  async #revive(session: ChildSession, how: string): Promise<void> {
    if (this.#session === session) this.#session = null
    if (this.#state.kind === 'closed') return
    this.#crashes++
    this.#options.log(`Model process ${how}; starting it again`)
    // It may have died before the attempt that started it was over.
    await this.#bringingUp
    this.#bringUp()
  }

  /** Backs off: nothing for the first start, then longer with each crash. */
  async #pause(crashes: number): Promise<void> {
    const { restartDelays } = this.#options.times
    const delay = crashes === 0 ? 0 : (restartDelays[Math.min(crashes, restartDelays.length) - 1] ?? 0)
    if (delay === 0) return
    await sleep(delay, undefined, { signal: this.#closing.signal }).catch(() => undefined)
  }

  /** Calls that wait for a load go on waiting; those that would wait for a download, or for nothing, are told. */
  #enter(state: State): void {
    if (this.#state.kind === 'closed') return
    this.#state = state
    this.#stopAwaiting?.()
    this.#stopAwaiting = null
    if (state.kind === 'stopped') for (const call of this.#queue.waiting()) this.#settle(call, state.error)
    if (state.kind === 'downloading' && this.#queue.size > 0) {
      const error = downloadingError(this.#name, state)
      for (const call of this.#queue.waiting()) this.#settle(call, error)
    }
  }
}

class DownloadFailed extends Error {
  readonly uri: string
  constructor(name: string, uri: string, why: string) {
    super(`Cannot download ${name}: ${why}`)
    this.uri = uri
  }
}

function describeState(state: State): Pick<ModelInfo, 'state' | 'detail'> {
  switch (state.kind) {
    case 'idle':
      return { state: 'loading', detail: 'Loads with the first call' }
    case 'preparing':
      return { state: 'loading', detail: state.what }
    case 'downloading':
      return { state: 'downloading', detail: `Downloading${progressText(state)}` }
    case 'loading':
      return { state: 'loading', detail: 'Loading' }
    case 'ready':
      return { state: 'ready', detail: state.what }
    case 'stopped':
      return {
        state: state.state,
        detail: state.error.hint === undefined ? state.error.message : `${state.error.message}. ${state.error.hint}`,
      }
    case 'closed':
      return { state: 'failed', detail: 'The worker is stopping' }
  }
}

function progressText({ bytes, bytesTotal }: { bytes: number; bytesTotal: number | null }): string {
  const mega = (value: number) => `${Math.round(value / 1e6)} MB`
  return bytesTotal === null
    ? `, ${mega(bytes)} so far`
    : `, ${Math.floor((100 * bytes) / bytesTotal)}% of ${mega(bytesTotal)}`
}

function downloadingError(name: string, state: Extract<State, { kind: 'downloading' }>): AppError {
  return new AppError('model_unavailable', `Cannot answer: ${name} is downloading${progressText(state)}`, {
    hint: 'Call again when get_server_info shows the model as ready',
    details: { bytes: state.bytes, bytes_total: state.bytesTotal },
  })
}

function reportPhase(call: Call, phase: GenerateProgress['phase']): void {
  call.options.onProgress?.({ phase, tokens: 0, promptTokens: 0, promptTokensTotal: 0 })
}

function forwardProgress(call: Call, progress: ChildProgress): void {
  if (progress.kind !== 'generating' || call.options.signal.aborted) return
  const { phase, tokens, promptTokens, promptTokensTotal, tail } = progress
  const text = phase === 'generating' ? { tail } : {}
  call.options.onProgress?.({ phase, tokens, promptTokens, promptTokensTotal, ...text })
}

const cancelled = (why = 'its caller gave up') => new AppError('cancelled', `Cannot answer: ${why}`)

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new AppError('model_unavailable', message, { cause: error })
}
