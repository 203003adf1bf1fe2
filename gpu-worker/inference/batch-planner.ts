/** What the engine has queued for its next batch. The priority carries the slot's number, see `toPriority`. */
interface QueuedItem {
  readonly tokens: readonly unknown[]
  readonly evaluationPriority: number
}

export interface BatchPlannerOptions {
  /** Prompt tokens in one batch at most: more gain no speed, and make every answer wait. */
  readonly promptTokensMax: number
  /** Told of each batch that had answers only, and at least one: how many tokens, and how long it took. */
  readonly onAnswersEvaluated?: (tokens: number, ms: number) => void
  /** In milliseconds. */
  readonly now?: () => number
}

const PROMPT_TOKENS_START = 32
/**
 * Smaller pieces are slower: on one core with the shape of Qwen2.5-0.5B, 32 tokens at once lose 15% and 16 lose 36% of
 * the speed of 64 and more.
 */
const PROMPT_TOKENS_MIN = 16
/**
 * A batch shall take no longer than this: an abort waits for one, or for two when it comes as a prompt joins, and is
 * promised within a second. One slot by itself makes nobody wait but the first batch of one that joins.
 */
const BATCH_MS_TARGET = 400
const BATCH_MS_TARGET_ALONE = 600
/** The engine asks again at once, so this many questions are some hundred microseconds. The way around takes about 20. */
const WAITS_MAX = 64

/** The batch that is under way. */
interface Dispatched {
  readonly at: number
  readonly slots: ReadonlySet<number>
  readonly promptTokens: number
  readonly answerTokens: number
  /** No other slot was at work. */
  readonly isAlone: boolean
}

/**
 * Decides what goes into the next batch of a context that several slots share. The engine by itself dispatches as soon as
 * anything is queued, so that the last slot always misses the batch; and llama.cpp joins only slots with consecutive,
 * increasing numbers into one pass. So: wait (not for ever) for all slots that are at work, the next tokens of answers
 * before prompts, prompts in equal shares of a bounded size, and all in the order of the slots.
 */
export class BatchPlanner {
  readonly #promptTokensMax: number
  readonly #onAnswersEvaluated: (tokens: number, ms: number) => void
  readonly #now: () => number
  readonly #live = new Map<number, 'prompt' | 'answer'>()
  #promptTokens: number
  #waited = 0
  #dispatched: Dispatched | null = null

  constructor({ promptTokensMax, onAnswersEvaluated = () => {}, now = () => performance.now() }: BatchPlannerOptions) {
    this.#promptTokensMax = promptTokensMax
    this.#onAnswersEvaluated = onAnswersEvaluated
    this.#promptTokens = Math.min(PROMPT_TOKENS_START, promptTokensMax)
    this.#now = now
  }

  /** The slot will queue something now, and again after every batch, until it leaves. */
  enter(slot: number, phase: 'prompt' | 'answer'): void {
    this.#live.set(slot, phase)
  }

  leave(slot: number): void {
    this.#live.delete(slot)
    this.finished(slot)
  }

  /** How many slots are at work on an answer. */
  get answers(): number {
    return [...this.#live.values()].filter((phase) => phase === 'answer').length
  }

  /** How many tokens of its prompt a slot should queue next, so that they fit into one batch. */
  pieceTokens(): number {
    const prompts = [...this.#live.values()].filter((phase) => phase === 'prompt').length
    return Math.max(PROMPT_TOKENS_MIN, Math.floor(this.#promptTokens / Math.max(1, prompts)))
  }

  /**
   * A slot got what it waited for: the batch that it was in is over. Sizes the next ones by the time that it took. A slot
   * that was given a token which it had guessed says nothing of the batch that the others wait for.
   */
  finished(slot: number): void {
    if (this.#dispatched?.slots.has(slot) === true) this.#over(this.#dispatched)
  }

  #over({ at, promptTokens, answerTokens, isAlone }: Dispatched): void {
    this.#dispatched = null
    const ms = this.#now() - at
    if (promptTokens === 0 && answerTokens > 0) this.#onAnswersEvaluated(answerTokens, ms)
    if (promptTokens * 2 < this.#promptTokens) return
    const target = isAlone ? BATCH_MS_TARGET_ALONE : BATCH_MS_TARGET
    if (ms > target) this.#promptTokens = Math.max(PROMPT_TOKENS_MIN, this.#promptTokens / 2)
    else if (ms * 2 <= target) this.#promptTokens = Math.min(this.#promptTokensMax, this.#promptTokens * 2)
  }

  /** The engine's `itemPrioritizationStrategy`. `size` is the most tokens that a batch can take. */
  plan<Item extends QueuedItem>(items: readonly Item[], size: number): { item: Item; processAmount: number }[] {
    if (this.#dispatched !== null) this.#over(this.#dispatched)
    if (items.length < this.#live.size && this.#waited < WAITS_MAX) {
      this.#waited++
      return []
    }
    this.#waited = 0
    const planned: { item: Item; processAmount: number }[] = []
    let room = size
    let answerTokens = 0
    for (const item of items.filter((each) => this.#isAnswer(each))) {
      // The last token and those that are guessed to follow it. What does not fit any more waits for the next batch.
      const processAmount = Math.min(item.tokens.length, room)
      if (processAmount === 0) continue
      planned.push({ item, processAmount })
      room -= processAmount
      answerTokens += processAmount
    }
    const prompts = items
      .filter((each) => !this.#isAnswer(each))
      .toSorted((one, other) => one.tokens.length - other.tokens.length)
    let left = Math.min(this.#promptTokens, room)
    let promptTokens = 0
    for (const [index, item] of prompts.entries()) {
      const processAmount = Math.min(item.tokens.length, Math.floor(left / (prompts.length - index)))
      if (processAmount === 0) continue
      planned.push({ item, processAmount })
      left -= processAmount
      promptTokens += processAmount
    }
    const slots = new Set(planned.map(({ item }) => toSlot(item)))
    this.#dispatched = { at: this.#now(), slots, promptTokens, answerTokens, isAlone: this.#live.size <= 1 }
    return planned.sort((one, other) => one.item.evaluationPriority - other.item.evaluationPriority)
  }

  #isAnswer(item: QueuedItem): boolean {
    return this.#live.get(toSlot(item)) === 'answer'
  }
}

const toSlot = ({ evaluationPriority }: QueuedItem): number => evaluationPriority - 1
