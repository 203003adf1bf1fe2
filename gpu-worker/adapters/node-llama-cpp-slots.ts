import type {
  EvaluationPriority,
  LlamaContext,
  LlamaContextOptions,
  LlamaContextSequence,
  LlamaModel,
  Token,
} from 'node-llama-cpp'
import { BatchPlanner } from '../inference/batch-planner.ts'
import { Intermission } from '../inference/intermission.ts'
import { SlotTable } from '../inference/slot-table.ts'
import type { AnswerGuide } from './node-llama-cpp-grammar.ts'

/** On a CPU larger pieces of a prompt gain nothing. */
const PROMPT_TOKENS_MAX = 128
/** On a GPU, where a piece takes milliseconds and larger ones use it better: llama.cpp's own batch size. */
const PROMPT_TOKENS_MAX_GPU = 512
/**
 * One token so many times in a row, under a grammar: the model wants to end where it may not, and would go on until its
 * room is used up. Over a thousand equal characters in most vocabularies.
 */
const REPEATED_MAX = 256

export interface SlotRequest {
  readonly prompt: readonly Token[]
  readonly answerTokensMax: number
  readonly temperature: number
  /** Calls of one key come back to the slot that still holds their last prompt, where it is free. */
  readonly cacheKey: string
  /** Made for this answer alone; null leaves the answer free. */
  readonly guide: AnswerGuide | null
  readonly signal: AbortSignal
  readonly onProgress: (phase: 'prompt' | 'generating', tokens: number, promptTokens: number) => void
}

export interface SlotAnswer {
  readonly tokens: Token[]
  /** Of the prompt: those that the slot still held. */
  readonly cachedTokens: number
  readonly stopReason: 'end' | 'length'
  /** On the performance clock; null where there was no token. */
  readonly firstTokenAt: number | null
}

/**
 * One context in which several answers are generated at the same time, each in a slot that keeps its tokens for the
 * caller's next prompt.
 */
export class ModelSlots {
  readonly contextTokens: number
  readonly count: number
  readonly #model: LlamaModel
  readonly #sequences: readonly LlamaContextSequence[]
  readonly #planner: BatchPlanner
  readonly #table: SlotTable
  readonly #intermission = new Intermission()

  private constructor(context: LlamaContext, planner: BatchPlanner) {
    this.contextTokens = Math.min(context.contextSize, context.model.trainContextSize)
    this.count = context.totalSequences
    this.#model = context.model
    this.#planner = planner
    this.#table = new SlotTable(this.count)
    this.#sequences = Array.from({ length: this.count }, () =>
      context.getSequence({
        contextShift: {
          strategy: () => {
            throw new Error('The context is full, although the tokens were counted')
          },
        },
      }),
    )
  }

  static async create(
    model: LlamaModel,
    count: number,
    options: Pick<LlamaContextOptions, 'contextSize' | 'threads'>,
  ): Promise<ModelSlots> {
    const promptTokensMax = model.gpuLayers > 0 ? PROMPT_TOKENS_MAX_GPU : PROMPT_TOKENS_MAX
    const planner = new BatchPlanner({ promptTokensMax })
    const context = await model.createContext({
      ...options,
      sequences: count,
      batching: { itemPrioritizationStrategy: ({ items, size }) => planner.plan(items, size) },
    })
    return new ModelSlots(context, planner)
  }

  /** At most `count` calls at a time. The prompt and the answer fit into the context: the caller has counted. */
  async generate(request: SlotRequest): Promise<SlotAnswer> {
    const slot = this.#table.take(request.cacheKey)
    const sequence = this.#sequences[slot]
    if (sequence === undefined) throw new Error(`There is no sequence for slot ${slot}`)
    try {
      return await this.#generate(request, slot, sequence)
    } catch (error) {
      // What the cache holds after a failure is not known.
      if (!request.signal.aborted) await this.#intermission.during(() => sequence.clearHistory())
      throw error
    } finally {
      this.#table.release(slot)
    }
  }

  async #generate(request: SlotRequest, slot: number, sequence: LlamaContextSequence): Promise<SlotAnswer> {
    const { prompt, answerTokensMax, temperature, guide, signal, onProgress } = request
    const cachedTokens = await this.#keepShared(sequence, prompt)
    const evaluationPriority = toPriority(slot)
    const tokens: Token[] = []
    let firstTokenAt: number | null = null
    let stopReason: SlotAnswer['stopReason'] = 'length'
    let repeated = 0
    this.#planner.enter(slot, 'prompt')
    try {
      let at = cachedTokens
      for (let size = this.#planner.pieceTokens(); prompt.length - at > size; size = this.#planner.pieceTokens()) {
        await this.#mayGoOn(signal)
        const piece = prompt.slice(at, at + size)
        await sequence.evaluateWithoutGeneratingNewTokens(piece, { evaluationPriority })
        this.#planner.finished()
        at += piece.length
        onProgress('prompt', 0, at)
      }
      await this.#mayGoOn(signal)
      const rest = prompt.slice(at)
      const sampling = { temperature, yieldEogToken: true, evaluationPriority }
      const options = guide === null ? sampling : { ...sampling, grammarEvaluationState: guide.state }
      for await (const token of sequence.evaluate(rest, options)) {
        this.#planner.finished()
        if (firstTokenAt === null) {
          firstTokenAt = performance.now()
          this.#planner.enter(slot, 'answer')
        }
        signal.throwIfAborted()
        if (this.#model.isEogToken(token)) {
          stopReason = 'end'
          break
        }
        await guide?.push?.(token, tokens)
        tokens.push(token)
        onProgress('generating', tokens.length, prompt.length)
        if (tokens.length >= answerTokensMax) break
        repeated = token === tokens.at(-2) ? repeated + 1 : 1
        if (guide !== null && repeated >= REPEATED_MAX) break
        if (this.#intermission.pause !== null) await this.#mayGoOn(signal)
      }
    } finally {
      this.#planner.leave(slot)
    }
    return { tokens, cachedTokens, stopReason, firstTokenAt }
  }

  async #mayGoOn(signal: AbortSignal): Promise<void> {
    while (this.#intermission.pause !== null) await this.#intermission.pause
    signal.throwIfAborted()
  }

  /**
   * Cuts the sequence to what it shares with the prompt from its start, and answers how much that is. Never all of the
   * prompt, because sampling needs a token to start from.
   */
  async #keepShared(sequence: LlamaContextSequence, prompt: readonly Token[]): Promise<number> {
    const { firstDifferentIndex } = sequence.compareContextTokens([...prompt])
    const shared = Math.min(firstDifferentIndex, prompt.length - 1)
    if (shared < sequence.nextTokenIndex) {
      const range = { start: shared, end: sequence.nextTokenIndex }
      await this.#intermission.during(() => sequence.eraseContextTokenRanges([range]))
    }
    // A cache that cannot be cut (sliding windows) comes back shorter than asked for.
    return Math.min(shared, sequence.nextTokenIndex)
  }
}

/**
 * The engine shows its batch strategy of each sequence only the priority, and does nothing else with it: so it carries the
 * slot's number, for which the type is too narrow.
 */
const toPriority = (slot: number): EvaluationPriority => (slot + 1) as EvaluationPriority
