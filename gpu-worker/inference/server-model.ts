import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '#shared/errors.ts'
import type { ModelInfo } from '#shared/schemas/worker.ts'
import { type ChatPiece, type ChatServer, ServerFailure } from '../ports/chat-server.ts'
import type {
  ChatTurn,
  GenerateOptions,
  GenerateProgress,
  GenerateRequest,
  GenerateResult,
  LanguageModel,
} from '../ports/language-model.ts'
import { answerTail } from './answer-tail.ts'
import { withoutThoughts } from './server-answer.ts'
import { contextOverflow, isPassing, type ServerCall, toRefusal } from './server-refusal.ts'

export interface ServerModelOptions {
  readonly name: string
  readonly server: ChatServer
  /** As the server calls it; null means the first that it lists. */
  readonly model: string | null
  /** Calls at once, in the server or before it; one more is `busy`. The server queues them. */
  readonly callsMax: number
  readonly log: (line: string) => void
  readonly times: ServerTimes
}

/** In milliseconds. */
export interface ServerTimes {
  /** What takes no thinking, as listing its models and counting tokens: a server that needs longer is not reachable. */
  readonly connect: number
  /** Waiting in the server's queue and reading the prompt; Node's own `fetch` gives up after 300,000. */
  readonly firstToken: number
  /** Between two tokens. */
  readonly silence: number
  /** Before the second, third, ... attempt; their number bounds the attempts. */
  readonly retryDelays: readonly number[]
  /** A server that asks for a longer wait is told to the caller as `busy`. */
  readonly retryAfterMax: number
  /** What is known of the server is asked again when it is older. */
  readonly knowledgeAge: number
}

/** What the server has told of itself. */
interface Knowledge {
  readonly model: string
  readonly contextTokens: number | null
  /** Null: it serves the model. Else what it lists instead. */
  readonly listedInstead: readonly string[] | null
}

const PROGRESS_INTERVAL_MS = 250
/** Of code and prose in UTF-8; less than tokenizers need on average, so that the estimate errs to the safe side. */
const BYTES_PER_TOKEN = 3

/**
 * A model behind an address. Holds no process and no memory of its own; knows no library: that comes as `server`.
 *
 * Before the first token a broken connection, 429 and 5xx are tried again, a bounded number of times; after it a call is
 * never repeated. What the server does not tell is estimated, and `info().detail` says so. Names of special tokens in
 * texts are passed as they are: whether they count as plain text is the server's doing.
 */
export class ServerModel implements LanguageModel {
  readonly name: string
  readonly #options: ServerModelOptions
  /** All that is asked of the server for somebody. */
  readonly #calls = new Set<AbortController>()
  /** Those of them that want an answer. */
  #answering = 0
  readonly #closing = new AbortController()
  #knowledge: Knowledge | null = null
  #asking: Promise<Knowledge> | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  /** Why the server did not say what it is, or did not answer; null after it did. */
  #failure: AppError | null = null
  #hasTokenizer = true
  #tellsUsage = true

  constructor(options: ServerModelOptions) {
    this.#options = options
    this.name = options.name
  }

  /** From what is known; where that is old it is asked again behind it. */
  info(): ModelInfo {
    if (performance.now() - this.#askedAt > this.#options.times.knowledgeAge) this.probe()
    return {
      name: this.name,
      ...this.#describe(),
      download: null,
      context_tokens: this.#knowledge?.contextTokens ?? null,
      queued: this.#answering,
    }
  }

  /** Begins to ask the server what it is, unless that is under way. */
  probe(): void {
    if (!this.#closing.signal.aborted) this.#ask().catch(() => undefined)
  }

  memoryBytes(): null {
    return null
  }

  async generate(request: GenerateRequest, options: GenerateOptions): Promise<GenerateResult> {
    if (!(request.answerTokensMax >= 1)) throw new AppError('invalid_input', 'Cannot answer: no room for one token')
    if (this.#answering >= this.#options.callsMax) throw this.#busy()
    const asked = { ...request, answerTokensMax: Math.floor(request.answerTokensMax) }
    this.#answering++
    try {
      return await this.#call(options.signal, asked.answerTokensMax, async (signal) => {
        const startedAt = performance.now()
        const knowledge = await this.#know(signal)
        const promptTokens = await this.#checkRoom(asked, knowledge, signal)
        return this.#tryAgain(signal, () => this.#attempt(asked, promptTokens, startedAt, signal, options))
      })
    } finally {
      this.#answering--
    }
  }

  async countTokens(text: string, signal: AbortSignal): Promise<number> {
    return this.#call(signal, 0, async (own) => {
      const knowledge = await this.#know(own)
      return (await this.#countByServer(knowledge, text, own)) ?? estimateTokens(text)
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const call of this.#calls) call.abort()
    await this.#asking?.catch(() => undefined)
  }

  /** Runs with a signal that the caller and `close` abort. Rejects with AppError only, bugs aside. */
  async #call<Result>(
    signal: AbortSignal,
    answerTokensMax: number,
    run: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    if (signal.aborted) throw cancelled()
    if (this.#closing.signal.aborted) throw new AppError('model_unavailable', 'Cannot answer: the worker is stopping')
    const call = new AbortController()
    const onAbort = () => call.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#calls.add(call)
    try {
      return await run(call.signal)
    } catch (error) {
      if (call.signal.aborted) throw cancelled(signal.aborted ? undefined : 'the worker is stopping')
      if (!(error instanceof ServerFailure)) throw error
      const refusal = toRefusal(error, this.#describeCall(answerTokensMax))
      // What a call is refused for may be its own fault; what says that the server is away is not.
      if (error.kind === 'connection') {
        this.#failure = refusal
        this.#knowledge = null
        this.#askedAt = Number.NEGATIVE_INFINITY
      }
      throw refusal
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#calls.delete(call)
    }
  }

  /** Again after failures that pass, as long as the attempts last. */
  async #tryAgain<Result>(signal: AbortSignal, attempt: () => Promise<Result>): Promise<Result> {
    const { retryDelays, retryAfterMax } = this.#options.times
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt()
      } catch (error) {
        const delay = retryDelays[attempts - 1]
        const passing = error instanceof ServerFailure && !(error instanceof BrokenAnswer) && isPassing(error)
        if (signal.aborted || !passing || delay === undefined) throw error
        const wanted = error.facts.retryAfterMs ?? null
        if (wanted !== null && wanted > retryAfterMax) throw error
        this.#options.log(`Model ${this.name}: ${this.#options.server.host} ${error.message}; trying again`)
        await sleep(wanted ?? delay, undefined, { signal })
      }
    }
  }

  async #attempt(
    request: GenerateRequest,
    promptTokens: number | null,
    startedAt: number,
    signal: AbortSignal,
    options: GenerateOptions,
  ): Promise<GenerateResult> {
    const { server, times } = this.#options
    const { model } = await this.#know(signal)
    const watch = new SilenceWatch(signal)
    const report = createReport(options, promptTokens ?? 0)
    const answer = new Answer()
    report('prompt', 0)
    watch.expect(times.firstToken, 'brought no token of an answer')
    try {
      const { turns, answerTokensMax, temperature, grammar = null } = request
      const wanted = { model, turns, answerTokensMax, temperature, grammar }
      for await (const piece of server.stream(wanted, watch.signal)) {
        // A server that goes on beyond what it was asked for.
        if (piece.text !== '' && answer.pieces >= answerTokensMax) {
          answer.finish = 'length'
          break
        }
        answer.add(piece)
        if (answer.firstAt === null) continue
        watch.expect(times.silence, 'brought nothing more')
        if (piece.text !== '') report('generating', answer.pieces, answer.text)
      }
      if (watch.failure !== null) throw watch.failure
      signal.throwIfAborted()
      answer.requireEnd()
    } catch (error) {
      const failure = watch.failure ?? error
      if (answer.firstAt !== null && failure instanceof ServerFailure) throw new BrokenAnswer(failure, answer.pieces)
      throw failure
    } finally {
      watch.stop()
    }
    this.#failure = null
    return this.#toResult(answer, request.turns, promptTokens, startedAt)
  }

  #toResult(
    answer: Answer,
    turns: readonly ChatTurn[],
    promptTokens: number | null,
    startedAt: number,
  ): GenerateResult {
    this.#tellsUsage = answer.usage !== null
    const tokens = answer.usage?.completionTokens ?? answer.pieces
    const seconds = answer.pieces > 1 ? (answer.lastAt - (answer.firstAt ?? answer.lastAt)) / 1000 : 0
    return {
      text: withoutThoughts(answer.text),
      stopReason: answer.finish === 'length' ? 'length' : 'end',
      usage: {
        prompt_tokens: answer.usage?.promptTokens ?? promptTokens ?? estimateTokens(joinTurns(turns)),
        cached_prompt_tokens: answer.usage?.cachedTokens ?? 0,
        completion_tokens: tokens,
        // The server's queue is part of the time to the first token: nobody tells when it ended.
        queue_ms: 0,
        time_to_first_token_ms: answer.firstAt === null ? null : Math.round(answer.firstAt - startedAt),
        tokens_per_second: tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null,
        model: this.name,
      },
    }
  }

  /**
   * Refuses what cannot fit, where server and tokenizer tell enough to be sure of it; else the server is the judge. Its
   * template's own tokens are not counted. Returns the tokens of the prompt, null where they are not known.
   */
  async #checkRoom(request: GenerateRequest, knowledge: Knowledge, signal: AbortSignal): Promise<number | null> {
    const promptTokens = await this.#countByServer(knowledge, joinTurns(request.turns), signal)
    const { contextTokens } = knowledge
    const { answerTokensMax } = request
    if (promptTokens === null || contextTokens === null) return promptTokens
    if (promptTokens + answerTokensMax > contextTokens) {
      throw contextOverflow({ model: knowledge.model, promptTokens, contextTokens, answerTokensMax })
    }
    return promptTokens
  }

  async #countByServer({ model }: Knowledge, text: string, signal: AbortSignal): Promise<number | null> {
    if (!this.#hasTokenizer) return null
    if (text === '') return 0
    const tokens = await this.#tryAgain(signal, async () => {
      const watch = new SilenceWatch(signal)
      watch.expect(this.#options.times.connect, 'did not count the tokens of a text')
      try {
        return await this.#options.server.countTokens(model, text, watch.signal)
      } catch (error) {
        throw watch.failure ?? error
      } finally {
        watch.stop()
      }
    })
    if (tokens === null) this.#hasTokenizer = false
    return tokens
  }

  /** What the server is; asked first where that is not known. */
  async #know(signal: AbortSignal): Promise<Knowledge> {
    if (this.#knowledge !== null) return this.#knowledge
    return this.#tryAgain(signal, () => orAborted(this.#ask(), signal))
  }

  #ask(): Promise<Knowledge> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = null
      this.#askedAt = performance.now()
    })
    return this.#asking
  }

  async #askOnce(): Promise<Knowledge> {
    const { server, model: wanted, times } = this.#options
    const watch = new SilenceWatch(this.#closing.signal)
    watch.expect(times.connect, 'did not say which models it has')
    try {
      const listed = await server.listModels(watch.signal)
      const found = listed?.find(({ id }) => wanted === null || id === wanted || id === `${wanted}:latest`)
      const serving = found ?? listed?.find(({ answersToAnyName }) => answersToAnyName)
      const model = wanted ?? serving?.id
      if (model === undefined) throw new ServerFailure('garbage', 'lists no model, and none is named behind #')
      const isMissing = listed !== null && serving === undefined
      const knowledge: Knowledge = {
        model,
        contextTokens: serving?.contextTokens ?? null,
        listedInstead: isMissing ? listed.map(({ id }) => withoutFolder(id)) : null,
      }
      if (this.#knowledge === null) this.#options.log(`Model ${this.name}: found at ${server.host}`)
      this.#knowledge = knowledge
      this.#failure = null
      return knowledge
    } catch (error) {
      const failure = watch.failure ?? error
      if (failure instanceof ServerFailure) this.#failure = toRefusal(failure, this.#describeCall(0))
      throw failure
    } finally {
      watch.stop()
    }
  }

  #describe(): Pick<ModelInfo, 'state' | 'detail'> {
    const { host } = this.#options.server
    const known = this.#knowledge
    if (this.#closing.signal.aborted) return { state: 'failed', detail: 'The worker is stopping' }
    if (this.#failure !== null) return { state: 'failed', detail: `${this.#failure.message}. ${this.#failure.hint}` }
    if (known === null) return { state: 'loading', detail: `Asking ${host}` }
    if (known.listedInstead !== null) {
      const has = known.listedInstead.slice(0, 8).join(', ') || 'none'
      return { state: 'missing', detail: `${host} does not list ${withoutFolder(known.model)}; it has: ${has}` }
    }
    return {
      state: 'ready',
      detail: [
        `Ready at ${host} as ${withoutFolder(known.model)}`,
        known.contextTokens === null
          ? 'the server does not tell its context'
          : `context of ${known.contextTokens} tokens`,
        ...(this.#hasTokenizer ? [] : ['tokens of a text are estimated']),
        ...(this.#tellsUsage ? [] : ['answer tokens are counted in pieces, since the server tells no usage']),
      ].join(', '),
    }
  }

  #describeCall(answerTokensMax: number): ServerCall {
    return {
      host: this.#options.server.host,
      model: withoutFolder(this.#knowledge?.model ?? this.#options.model ?? this.name),
      promptTokens: null,
      contextTokens: this.#knowledge?.contextTokens ?? null,
      answerTokensMax,
    }
  }

  #busy(): AppError {
    const { callsMax } = this.#options
    return new AppError('busy', `Cannot answer: ${this.#answering} calls wait for the model, limit ${callsMax}`, {
      hint: 'Try again when one of them is done',
      details: { retry_after_ms: Math.min(60_000, 3000 * this.#answering), queued: this.#answering },
    })
  }
}

/** An answer that had begun is not asked for again: somebody may have paid for it, and half of it is no use. */
class BrokenAnswer extends ServerFailure {
  constructor(failure: ServerFailure, pieces: number) {
    super(failure.kind, `${failure.message}, after ${pieces} pieces of its answer`, failure.facts, { cause: failure })
  }
}

/** The pieces of an answer so far. */
class Answer {
  text = ''
  /** That hold text: one token each with most servers. */
  pieces = 0
  finish: string | null = null
  usage: ChatPiece['usage'] = null
  /** Of a token, thought or said, on the performance clock. */
  firstAt: number | null = null
  lastAt = 0
  #isEmpty = true

  add(piece: ChatPiece): void {
    this.#isEmpty = false
    if (piece.text !== '' || piece.thinking) {
      this.lastAt = performance.now()
      this.firstAt ??= this.lastAt
    }
    if (piece.text !== '') this.pieces++
    this.text += piece.text
    this.finish = piece.finish ?? this.finish
    this.usage = piece.usage ?? this.usage
  }

  /** Throws where the stream ended and the answer did not. */
  requireEnd(): void {
    if (this.finish !== null) return
    throw this.#isEmpty
      ? new ServerFailure('garbage', 'answered with something that is no stream of chat completions')
      : new ServerFailure('connection', 'ended its answer in the middle')
  }
}

/** Aborts when what is expected does not come in time; a failure says what that was. */
class SilenceWatch {
  failure: ServerFailure | null = null
  readonly #abort = new AbortController()
  readonly #outer: AbortSignal
  readonly #onOuterAbort = () => this.#abort.abort()
  #timer: NodeJS.Timeout | undefined

  constructor(outer: AbortSignal) {
    this.#outer = outer
    outer.addEventListener('abort', this.#onOuterAbort, { once: true })
    if (outer.aborted) this.#abort.abort()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** From now on, in place of what was expected before. */
  expect(withinMs: number, otherwise: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.failure = new ServerFailure('silence', `${otherwise} within ${withinMs / 1000} s`)
      this.#abort.abort()
    }, withinMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#outer.removeEventListener('abort', this.#onOuterAbort)
  }
}

function createReport({ onProgress, signal }: GenerateOptions, promptTokens: number) {
  let last = Number.NEGATIVE_INFINITY
  return (phase: GenerateProgress['phase'], tokens: number, text = ''): void => {
    const now = performance.now()
    if (signal.aborted || (phase === 'generating' && tokens > 1 && now - last < PROGRESS_INTERVAL_MS)) return
    last = now
    const evaluated = phase === 'generating' ? promptTokens : 0
    const tail = phase === 'generating' ? { tail: answerTail(text) } : {}
    onProgress?.({ phase, tokens, promptTokens: evaluated, promptTokensTotal: promptTokens, ...tail })
  }
}

/** As `promise`, but rejects at once when the signal is aborted; the promise goes on for others. */
async function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(cancelled())
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)

const joinTurns = (turns: readonly ChatTurn[]): string => turns.map(({ text }) => text).join('\n')

/** llama-server calls a model by the path of its file, which is nobody's business. */
const withoutFolder = (id: string): string => (/^([\\/]|[a-z]:)/i.test(id) ? (id.split(/[\\/]/).at(-1) ?? id) : id)

const cancelled = (why = 'its caller gave up') => new AppError('cancelled', `Cannot answer: ${why}`)
