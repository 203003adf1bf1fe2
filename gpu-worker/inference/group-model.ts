import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type WireError } from '#shared/errors.ts'
import { JOB_DEADLINE_MS } from '#shared/protocol/limits.ts'
import {
  MODEL_ACCEPT_MS,
  MODEL_BEAT_MS,
  MODEL_SILENCE_MS,
  type ModelAnswer,
  type ModelAsk,
  type ModelEnd,
  type ModelRequest,
} from '#shared/protocol/model-group.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { ModelInfo } from '#shared/schemas/worker.ts'
import type { GenerateOptions, GenerateRequest, GenerateResult, LanguageModel } from '../ports/language-model.ts'
import type { ModelGroup } from '../ports/model-group.ts'
import type { ModelDirectory, ServedModel } from './model-directory.ts'

export interface GroupModelOptions {
  readonly name: string
  readonly group: ModelGroup
  readonly directory: ModelDirectory
  readonly log: (line: string) => void
  readonly times?: Partial<GroupTimes>
}

/** In milliseconds. */
export interface GroupTimes {
  readonly beat: number
  /** Without a word of the member after it accepted. */
  readonly silence: number
  /** Until a member accepts. */
  readonly accept: number
  /** A member that was at work and is gone may be back in this time, as after a restart of NATS. */
  readonly comeBack: number
}

const DEFAULT_TIMES: GroupTimes = {
  beat: MODEL_BEAT_MS,
  silence: MODEL_SILENCE_MS,
  accept: MODEL_ACCEPT_MS,
  comeBack: 5000,
}

/** Members that a call is begun at: the first, and two more. One that takes three workers down is to blame itself. */
const BEGUN_MAX = 3
/** Members that are asked, counting those that have no room: bounds the time, whatever they answer. */
const ASKED_MAX = 12
/** Of an answer: some times what a model writes into the largest context. */
const TEXT_CHARACTERS_MAX = 2_000_000
/** Of a refusal, in characters. */
const WORDS_MAX = 2000
const LOOK_AGAIN_MS = 250
/** NATS drops a connection that answers no ping after minutes; asking the group now and then finds out. */
const DEAF_MS = 60_000

/** Every field travels, or this does not compile: add a new one of `GenerateRequest` to `ModelRequest`. */
type Unsent = Exclude<keyof GenerateRequest, keyof ModelRequest>
const toWire = (request: [Unsent] extends [never] ? GenerateRequest : never): ModelRequest => ({
  ...request,
  turns: request.turns.map(({ role, text }) => ({ role, text })),
})

type Work = { kind: 'generate'; request: ModelRequest } | { kind: 'count'; text: string }

/** How one attempt at one member, or at the group, went. */
type Attempt =
  | { readonly how: 'ended'; readonly end: ModelEnd }
  | { readonly how: 'nobody' }
  /** `member` is null where none accepted. */
  | { readonly how: 'silent'; readonly member: string | null }

/**
 * A model that other workers serve under this name. The group picks the first member; when that one has no room, refuses
 * or falls silent, the others are asked one by one, the least busy first. Nothing is held between calls.
 */
export class GroupModel implements LanguageModel {
  readonly name: string
  readonly #options: GroupModelOptions
  readonly #times: GroupTimes
  readonly #closing = new AbortController()
  #calls = 0
  /** On the performance clock. One that stands still takes its turn in the group until NATS misses it: members are asked by name. */
  #groupIsDeafUntil = 0

  constructor(options: GroupModelOptions) {
    this.name = options.name
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
  }

  info(): ModelInfo {
    const served = this.#options.directory.servedBy(this.name)
    const ready = served.filter(({ info }) => info.state === 'ready')
    const contexts = ready.map(({ info }) => info.context_tokens).filter((tokens) => tokens !== null)
    return {
      name: this.name,
      state: bestState(served),
      detail: served.length === 0 ? `${noMember(this.name).message}` : served.map(describeServed).join('; '),
      download: null,
      // What fits the smallest fits whichever member gets the call.
      context_tokens: contexts.length === 0 ? null : Math.min(...contexts),
      queued: this.#calls,
      served_by: served.map(({ member, host, info }) => ({ member, host, state: info.state, queued: info.queued })),
    }
  }

  async generate(request: GenerateRequest, options: GenerateOptions): Promise<GenerateResult> {
    if (!(request.answerTokensMax >= 1)) throw new AppError('invalid_input', 'Cannot answer: no room for one token')
    const { end, waitedMs } = await this.#call({ kind: 'generate', request: toWire(request) }, options)
    if (end.kind !== 'generated') throw nonsense(this.name)
    const { text, stop_reason, usage } = end
    return {
      text: text.toWellFormed(),
      stopReason: stop_reason,
      usage: { ...usage, queue_ms: usage.queue_ms + waitedMs },
    }
  }

  async countTokens(text: string, signal: AbortSignal): Promise<number> {
    const { end } = await this.#call({ kind: 'count', text }, { signal })
    if (end.kind !== 'counted') throw nonsense(this.name)
    return end.tokens
  }

  memoryBytes(): number | null {
    return null
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  async #call(work: Work, options: GenerateOptions): Promise<{ end: ModelEnd; waitedMs: number }> {
    throwIfCancelled(options.signal)
    if (this.#closing.signal.aborted) throw new AppError('model_unavailable', 'Cannot answer: the worker is stopping')
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    this.#calls++
    try {
      return await this.#ask(work, { ...options, signal })
    } finally {
      this.#calls--
    }
  }

  async #ask(work: Work, options: GenerateOptions): Promise<{ end: ModelEnd; waitedMs: number }> {
    const arrivedAt = performance.now()
    /** Members that said no, and those that said nothing: the latter may be back. */
    const refused = new Set<string>()
    const silent = new Set<string>()
    let target = performance.now() < this.#groupIsDeafUntil ? this.#leastBusy(refused, silent) : null
    let begun = 0
    for (let asked = 1; ; asked++) {
      const startedAt = performance.now()
      const attempt = await this.#attempt(work, target, options)
      if (attempt.how === 'ended') {
        const { end } = attempt
        this.#options.directory.note(end.member, this.name, end.info)
        if (end.kind !== 'refused') return { end, waitedMs: Math.round(startedAt - arrivedAt) }
        if (!mayPassElsewhere(end.error.code)) throw toError(end.error)
        refused.add(end.member)
      }
      if (attempt.how === 'silent') {
        this.#options.log(`Model ${this.name}: ${attempt.member ?? 'a model worker'} fell silent; asking another`)
        if (attempt.member !== null) begun++
        else if (target === null) this.#groupIsDeafUntil = performance.now() + DEAF_MS
        const gone = attempt.member ?? target
        if (gone !== null) silent.add(gone)
      }
      if (attempt.how === 'nobody' && target !== null) this.#options.directory.note(target, this.name, null)
      const why = this.#reason(attempt)
      // Who never was there is not waited for; who was at work a moment ago is.
      if ((attempt.how === 'nobody' && target === null) || begun >= BEGUN_MAX || asked >= ASKED_MAX) throw why
      const patienceMs = attempt.how === 'ended' ? 0 : this.#times.comeBack
      target = await this.#nextMember(refused, silent, patienceMs, options.signal)
      if (target === null) throw why
    }
  }

  #reason(attempt: Attempt): AppError {
    if (attempt.how === 'nobody') return noMember(this.name)
    if (attempt.how === 'ended' && attempt.end.kind === 'refused') {
      const { error } = attempt.end
      return error.code === 'cancelled' ? lost(this.name) : toError(error)
    }
    return lost(this.name)
  }

  #leastBusy(refused: ReadonlySet<string>, silent: ReadonlySet<string>): string | null {
    const [next] = this.#options.directory
      .servedBy(this.name)
      .filter(({ member }) => !refused.has(member))
      .sort(
        (one, other) =>
          Number(silent.has(one.member)) - Number(silent.has(other.member)) || one.info.queued - other.info.queued,
      )
    return next?.member ?? null
  }

  /**
   * The least busy of those that have not refused; null where there is none, also after waiting. Where the last one only
   * refused, what is known of the others will do: one that has gone since says so at once.
   */
  async #nextMember(
    refused: ReadonlySet<string>,
    silent: ReadonlySet<string>,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { directory } = this.#options
    const pick = () => this.#leastBusy(refused, silent)
    const known = patienceMs === 0 ? pick() : null
    if (known !== null) return known
    for (const until = performance.now() + patienceMs; ; ) {
      await directory.refresh()
      throwIfCancelled(signal)
      const next = pick()
      if (next !== null || performance.now() >= until) return next
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Rejects with `cancelled` at once when the signal is aborted; the member is told. */
  #attempt(work: Work, target: string | null, { signal, onProgress }: GenerateOptions): Promise<Attempt> {
    const { group } = this.#options
    const { beat, silence, accept } = this.#times
    const ask: ModelAsk = {
      v: WIRE_VERSION,
      id: randomUUID(),
      model: this.name,
      time_left_ms: JOB_DEADLINE_MS,
      ...work,
    }
    return new Promise((resolve, reject) => {
      let member: string | null = null
      let heardAt = performance.now()
      const onAnswer = (answer: ModelAnswer | null): void => {
        if (signal.aborted) return
        heardAt = performance.now()
        if (answer === null) {
          settle({ how: 'nobody' })
        } else if (answer.kind === 'accepted') {
          member = answer.member
          exchange.say('go_on')
        } else if (answer.kind === 'at_work') {
          if (answer.progress !== null) onProgress?.(answer.progress)
        } else {
          settle({ how: 'ended', end: soundEnd(answer, work, this.name) })
        }
      }
      const exchange = group.ask(ask, target, onAnswer)
      const watch = setInterval(
        () => {
          const silentMs = performance.now() - heardAt
          if (silentMs > (member === null ? accept : silence)) settle({ how: 'silent', member })
          else if (member !== null) exchange.say('go_on')
        },
        Math.min(beat, accept),
      )
      const onAbort = () => {
        over()
        reject(cancelled())
      }
      const settle = (attempt: Attempt) => {
        over()
        resolve(attempt)
      }
      // Said of every call that is over: the member lets go of it.
      const over = () => {
        clearInterval(watch)
        signal.removeEventListener('abort', onAbort)
        exchange.say('stop')
        exchange.close()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }
}

const STATES = ['ready', 'loading', 'downloading', 'failed', 'missing'] as const

function bestState(served: readonly ServedModel[]): ModelInfo['state'] {
  return STATES.find((state) => served.some(({ info }) => info.state === state)) ?? 'missing'
}

const describeServed = ({ host, info }: ServedModel): string =>
  `At ${host}: ${info.detail}${info.queued === 0 ? '' : `, ${info.queued} calls`}`

/** What one member refuses for a reason of its own. */
const mayPassElsewhere = (code: AppError['code']): boolean =>
  code === 'busy' || code === 'model_unavailable' || code === 'cancelled'

/** An end as it may be believed: what is no answer to this work counts as a refusal, and the work goes elsewhere. */
function soundEnd(end: ModelEnd, work: Work, name: string): ModelEnd {
  const isAnswer =
    work.kind === 'count' ? end.kind === 'counted' : end.kind === 'generated' && end.text.length <= TEXT_CHARACTERS_MAX
  if (isAnswer || end.kind === 'refused') return end
  const { v, id, member, info } = end
  return { v, id, member, info, kind: 'refused', error: nonsense(name).toWire() }
}

/** A refusal in a model worker's words, as long as words of ours. */
function toError({ code, message, hint, details }: WireError): AppError {
  const areShort = details !== undefined && JSON.stringify(details).length <= WORDS_MAX
  return new AppError(code, message.slice(0, WORDS_MAX), {
    ...(hint === undefined ? {} : { hint: hint.slice(0, WORDS_MAX) }),
    ...(areShort ? { details } : {}),
  })
}

const nonsense = (name: string): AppError =>
  new AppError('model_unavailable', `Cannot answer: a model worker of "${name}" answered something else`)

const HINT = 'Start one with npm run worker -- --role model --model NAME; get_server_info shows those that are there'

const noMember = (name: string): AppError =>
  new AppError('model_unavailable', `Cannot answer: no model worker serves "${name}"`, { hint: HINT })

const lost = (name: string): AppError =>
  new AppError(
    'model_unavailable',
    `Cannot answer: the model worker of "${name}" fell silent, and no other takes over`,
    {
      hint: HINT,
    },
  )

const cancelled = () => new AppError('cancelled', 'Cannot answer: its caller gave up')

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}
