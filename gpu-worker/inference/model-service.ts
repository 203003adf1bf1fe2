import { AppError } from '#shared/errors.ts'
import {
  MODEL_BEAT_MS,
  MODEL_SILENCE_MS,
  type ModelAnswer,
  type ModelAsk,
  type ModelEnd,
  type ModelMember,
  type ModelProgress,
} from '#shared/protocol/model-group.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { GenerateRequest, LanguageModel } from '../ports/language-model.ts'
import type { ModelGroupServer, ReceivedAsk } from '../ports/model-group.ts'

export interface ModelServiceOptions {
  /** Unique among all model workers. */
  readonly member: string
  /** Of this machine, for a person. */
  readonly host: string
  readonly models: readonly LanguageModel[]
  readonly server: ModelGroupServer
  readonly log: (line: string) => void
  readonly times?: ServiceTimes
}

/** In milliseconds. */
export interface ServiceTimes {
  readonly beat: number
  readonly silence: number
}

export interface ModelService {
  start(): Promise<void>
  /** Takes nothing new and hands the calls under way back, for their callers to take elsewhere. */
  stop(): Promise<void>
}

/** Far above what the models' own queues let wait; only a guard against callers that ask and never go on. */
const CALLS_MAX = 256
/** Of the texts of all calls that are open: hundreds of full contexts. */
const CHARACTERS_MAX = 64 * 1024 * 1024
/** Progress beside the beats: what a person's eye follows. */
const PROGRESS_INTERVAL_MS = 250

/** Serves this worker's models to repository workers elsewhere. */
export function createModelService(options: ModelServiceOptions): ModelService {
  const { models, member, server } = options
  const calls = new Map<string, ServedModelCall>()
  let isStopping = false
  let characters = 0

  const find = (name: string): LanguageModel | undefined => models.find((model) => model.name === name)
  const describe = (): ModelMember => ({
    v: WIRE_VERSION,
    member,
    host: options.host,
    models: models.map((model) => model.info()),
  })

  function take(received: ReceivedAsk): void {
    const { ask, answer } = received
    // The same message twice is one call.
    if (calls.has(ask.id)) return
    const model = find(ask.model)
    const size = sizeOf(ask)
    const error = reasonToRefuse(size)
    if (error !== null || model === undefined) {
      answer({
        v: WIRE_VERSION,
        id: ask.id,
        member,
        kind: 'refused',
        info: model?.info() ?? null,
        error: (error ?? unknown(ask.model)).toWire(),
      })
      return
    }
    characters += size
    const onOver = () => {
      if (calls.delete(ask.id)) characters -= size
    }
    calls.set(ask.id, new ServedModelCall(received, model, options, onOver))
  }

  function reasonToRefuse(size: number): AppError | null {
    if (isStopping) return stopping()
    if (calls.size < CALLS_MAX && characters + size <= CHARACTERS_MAX) return null
    return new AppError('busy', `Cannot answer: ${calls.size} calls are open`, { details: { retry_after_ms: 1000 } })
  }

  return {
    start: () =>
      server.serve({
        names: () => models.map(({ name }) => name),
        describe,
        onAsk: take,
        onControl: (id, word) => (word === 'stop' ? calls.get(id)?.end() : calls.get(id)?.goOn()),
      }),
    async stop() {
      isStopping = true
      await server.stop()
      for (const call of calls.values()) call.handBack()
    },
  }
}

const sizeOf = (ask: ModelAsk): number =>
  ask.kind === 'count' ? ask.text.length : ask.request.turns.reduce((sum, { text }) => sum + text.length, 0)

const unknown = (name: string): AppError => new AppError('model_unavailable', `Cannot answer: no model "${name}" here`)

const stopping = (): AppError => new AppError('model_unavailable', 'Cannot answer: the model worker is stopping')

/** One call: accepted, begun with the caller's first word, over when the caller has let go of it. */
class ServedModelCall {
  readonly #received: ReceivedAsk
  readonly #model: LanguageModel
  readonly #options: ModelServiceOptions
  readonly #times: ServiceTimes
  readonly #onOver: () => void
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  /** On the performance clock, of the caller's last word. */
  #heardAt = performance.now()
  #toldAt = Number.NEGATIVE_INFINITY
  #begun = false
  #progress: ModelProgress | null = null
  #end: ModelEnd | null = null

  constructor(received: ReceivedAsk, model: LanguageModel, options: ModelServiceOptions, onOver: () => void) {
    this.#received = received
    this.#model = model
    this.#options = options
    this.#times = options.times ?? { beat: MODEL_BEAT_MS, silence: MODEL_SILENCE_MS }
    this.#onOver = onOver
    this.#timer = setInterval(() => this.#beat(), this.#times.beat)
    this.#tell({ ...this.#head, kind: 'accepted' })
  }

  get #head() {
    return { v: WIRE_VERSION, id: this.#received.ask.id, member: this.#options.member } as const
  }

  goOn(): void {
    this.#heardAt = performance.now()
    if (this.#begun) return
    this.#begun = true
    void this.#work()
  }

  /** The caller waits no more, for whatever reason. */
  end(): void {
    clearInterval(this.#timer)
    this.#abort.abort()
    this.#onOver()
  }

  handBack(): void {
    if (this.#end === null) this.#finish(this.#refusal(stopping()))
    this.end()
  }

  #beat(): void {
    if (performance.now() - this.#heardAt > this.#times.silence) {
      if (this.#begun && this.#end === null)
        this.#options.log(`Model ${this.#model.name}: a caller fell silent, its call ends`)
      this.end()
      return
    }
    if (this.#end !== null) this.#tell(this.#end)
    else if (this.#begun) this.#tell({ ...this.#head, kind: 'at_work', progress: this.#progress })
  }

  async #work(): Promise<void> {
    const { ask, workspace } = this.#received
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(Math.ceil(ask.time_left_ms))])
    let end: ModelEnd
    try {
      end = await (ask.kind === 'count' ? this.#count(ask, signal) : this.#generate(ask, workspace, signal))
    } catch (error) {
      end = this.#refusal(error)
    }
    this.#finish(end)
  }

  async #generate(
    ask: Extract<ModelAsk, { kind: 'generate' }>,
    workspace: string,
    signal: AbortSignal,
  ): Promise<ModelEnd> {
    const asked: GenerateRequest = ask.request
    // Agents of two repositories may have one id; they are two callers.
    const request = { ...asked, cacheKey: `${workspace}/${asked.cacheKey ?? ''}` }
    const result = await this.#model.generate(request, {
      signal,
      onProgress: (progress) => this.#noteProgress(progress),
    })
    const { text, stopReason, usage } = result
    return { ...this.#head, kind: 'generated', info: this.#model.info(), text, stop_reason: stopReason, usage }
  }

  async #count(ask: Extract<ModelAsk, { kind: 'count' }>, signal: AbortSignal): Promise<ModelEnd> {
    const tokens = await this.#model.countTokens(ask.text, signal)
    return { ...this.#head, kind: 'counted', info: this.#model.info(), tokens }
  }

  #refusal(error: unknown): ModelEnd {
    if (!(error instanceof AppError)) {
      this.#options.log(`Bug in model ${this.#model.name}: ${error instanceof Error ? (error.stack ?? '') : error}`)
    }
    const refused =
      error instanceof AppError
        ? error
        : new AppError('internal', 'Something went wrong in the model worker', { hint: "See the model worker's log" })
    return { ...this.#head, kind: 'refused', info: this.#model.info(), error: refused.toWire() }
  }

  #noteProgress(progress: ModelProgress): void {
    const isNews = progress.phase !== this.#progress?.phase
    this.#progress = progress
    if (!isNews && performance.now() - this.#toldAt < PROGRESS_INTERVAL_MS) return
    this.#toldAt = performance.now()
    this.#tell({ ...this.#head, kind: 'at_work', progress })
  }

  /** The end is told with each beat until the caller lets go: what is said while a connection is down is lost. */
  #finish(end: ModelEnd): void {
    if (this.#end !== null || this.#abort.signal.aborted) return
    this.#end = end
    this.#tell(end)
  }

  #tell(answer: ModelAnswer): void {
    this.#received.answer(answer)
  }
}
