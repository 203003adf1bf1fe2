import type {
  EvaluationPriority,
  LlamaContext,
  LlamaContextOptions,
  LlamaContextSequence,
  LlamaModel,
  Token,
} from 'node-llama-cpp'
import { BatchCost } from '../inference/batch-cost.ts'
import { BatchPlanner } from '../inference/batch-planner.ts'
import { choosePromptTokensMax } from '../inference/batch-size.ts'
import { DraftPace } from '../inference/draft-pace.ts'
import { draftRefused } from '../inference/draft-refused.ts'
import { toEngineFlashAttention } from '../inference/flash-attention.ts'
import { Intermission } from '../inference/intermission.ts'
import { toEngineKvCache } from '../inference/kv-cache.ts'
import type { Levers } from '../inference/levers.ts'
import { chooseGuessedTokens, tokenShare } from '../inference/lookup.ts'
import { SlotTable } from '../inference/slot-table.ts'
import { DraftModel } from './node-llama-cpp-draft.ts'
import type { AnswerGuide } from './node-llama-cpp-grammar.ts'
import { GuessingPredictor } from './node-llama-cpp-guesses.ts'
import { SlotStates, type SlotStatesOptions } from './node-llama-cpp-states.ts'

/**
 * One token so many times in a row, under a grammar: the model wants to end where it may not, and would go on until its
 * room is used up. Over a thousand equal characters in most vocabularies.
 */
const REPEATED_MAX = 256

export type StateFiles = Pick<SlotStatesOptions, 'folder' | 'bytesMax' | 'engine'>

export interface SlotRequest {
  readonly prompt: readonly Token[]
  readonly answerTokensMax: number
  readonly temperature: number
  /** Calls of one key come back to the slot that still holds their last prompt, where it is free. */
  readonly cacheKey: string
  /** Made for this answer alone; null leaves the answer free. */
  readonly guide: AnswerGuide | null
  readonly signal: AbortSignal
  /** `answer` is the tokens so far, which go on growing. */
  readonly onProgress: (
    phase: 'prompt' | 'generating',
    tokens: number,
    promptTokens: number,
    answer: readonly Token[],
  ) => void
}

export interface SlotAnswer {
  readonly tokens: Token[]
  /** Of the prompt: those that the slot still held, or that came back from a file. */
  readonly cachedTokens: number
  readonly stopReason: 'end' | 'length'
  /** On the performance clock; null where there was no token. */
  readonly firstTokenAt: number | null
}

export interface ModelSlotsOptions extends Pick<LlamaContextOptions, 'contextSize' | 'threads'> {
  readonly levers: Levers
  /** The model that `levers` names to guess tokens, loaded. */
  readonly draft: LlamaModel | null
  /** Lets more callers keep their prompts than there are slots; its `engine` names the model's file. */
  readonly states: StateFiles | null
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
  /** One for each sequence; null where nothing is guessed. */
  readonly #predictors: readonly (GuessingPredictor | null)[]
  readonly #planner: BatchPlanner
  readonly #table: SlotTable
  readonly #intermission = new Intermission()
  readonly #states: SlotStates | null

  private constructor(
    context: LlamaContext,
    planner: BatchPlanner,
    predictors: readonly (GuessingPredictor | null)[],
    states: StateFiles | null,
  ) {
    this.contextTokens = Math.min(context.contextSize, context.model.trainContextSize)
    this.count = context.totalSequences
    this.#model = context.model
    this.#planner = planner
    this.#table = new SlotTable(this.count)
    this.#predictors = predictors
    this.#sequences = predictors.map((tokenPredictor) =>
      context.getSequence({
        ...(tokenPredictor === null ? {} : { tokenPredictor }),
        contextShift: {
          strategy: () => {
            throw new Error('The context is full, although the tokens were counted')
          },
        },
      }),
    )
    const world = { sequences: this.#sequences, intermission: this.#intermission }
    this.#states = states && new SlotStates({ ...states, ...world, engine: describeEngine(states.engine, context) })
  }

  static async create(model: LlamaModel, count: number, options: ModelSlotsOptions): Promise<ModelSlots> {
    const { levers, draft, states, ...sizes } = options
    const onGpu = model.gpuLayers > 0
    const cost = new BatchCost(tokenShare(onGpu))
    const planner = new BatchPlanner({
      promptTokensMax: choosePromptTokensMax(onGpu),
      onAnswersEvaluated: (tokens, ms) => cost.record(tokens, ms),
    })
    const context = await model.createContext({
      ...sizes,
      ...toEngineKvCache(levers.kvCache),
      flashAttention: toEngineFlashAttention(levers.flashAttention),
      sequences: count,
      batching: { itemPrioritizationStrategy: ({ items, size }) => planner.plan(items, size) },
    })
    const looksUp = levers.promptLookup && canTakeBack(model)
    const chooseGuessed = (acceptance: number) =>
      looksUp ? chooseGuessedTokens({ acceptance, answers: Math.max(1, planner.answers), cost }) : 0
    const drafts = await draft?.createContext({ ...sizes, contextSize: context.contextSize, sequences: count })
    const pace = new DraftPace(cost, () => planner.answers)
    const followers = Array.from({ length: count }, () => drafts && new DraftModel(drafts.getSequence(), pace))
    const predictors = followers.map((follower) =>
      looksUp || follower !== undefined ? new GuessingPredictor(chooseGuessed, follower ?? null) : null,
    )
    const slots = new ModelSlots(context, planner, predictors, states)
    try {
      if (levers.draftModel !== null) await slots.#checkDraft(levers.draftModel, followers[0])
    } catch (error) {
      // Left to the garbage collector, they would have the engine wait for ever for their end.
      await Promise.all([context.dispose(), drafts?.dispose()])
      throw error
    }
    return slots
  }

  async #checkDraft(path: string, follower: DraftModel | undefined): Promise<void> {
    const [targetSequence] = this.#sequences
    if (targetSequence === undefined) return
    try {
      await follower?.check(targetSequence)
    } catch (error) {
      throw draftRefused(path, error instanceof Error ? error.message : String(error), error)
    }
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
      this.#states?.leave(slot)
      this.#table.release(slot)
    }
  }

  async #generate(request: SlotRequest, slot: number, sequence: LlamaContextSequence): Promise<SlotAnswer> {
    const { prompt, answerTokensMax, temperature, guide, signal, onProgress } = request
    await this.#states?.enter({ slot, key: request.cacheKey, prompt, signal })
    const cachedTokens = await this.#keepShared(sequence, prompt)
    const evaluationPriority = toPriority(slot)
    const predictor = this.#predictors[slot] ?? null
    // Where each token decides which may follow, none can be guessed beyond it.
    if (guide?.push === undefined) predictor?.begin(prompt, answerTokensMax)
    const unusedBefore = sequence.tokenPredictions.unused
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
        this.#planner.finished(slot)
        at += piece.length
        onProgress('prompt', 0, at, tokens)
      }
      await this.#mayGoOn(signal)
      const rest = prompt.slice(at)
      const sampling = { temperature, yieldEogToken: true, evaluationPriority }
      const options = guide === null ? sampling : { ...sampling, grammarEvaluationState: guide.state }
      for await (const token of sequence.evaluate(rest, options)) {
        this.#planner.finished(slot)
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
        onProgress('generating', tokens.length, prompt.length, tokens)
        if (tokens.length >= answerTokensMax) break
        repeated = token === tokens.at(-2) ? repeated + 1 : 1
        if (guide !== null && repeated >= REPEATED_MAX) break
        if (this.#intermission.pause !== null) await this.#mayGoOn(signal)
      }
    } finally {
      predictor?.end()
      this.#planner.leave(slot)
      if (sequence.tokenPredictions.unused !== unusedBefore) await dropGuessed(sequence)
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

/** Models with a state that cannot be cut (recurrent layers, sliding windows) would copy it before every guess. */
const canTakeBack = ({ fileInsights }: LlamaModel): boolean =>
  !fileInsights.isRecurrent && !fileInsights.isHybrid && fileInsights.swaSize === undefined

/** Guessed tokens that were right but came after the answer's end: the engine would keep them until its next call. */
async function dropGuessed(sequence: LlamaContextSequence): Promise<void> {
  const { nextTokenIndex, contextSize } = sequence
  await sequence.eraseContextTokenRanges([{ start: nextTokenIndex, end: contextSize }])
}

/**
 * The engine shows its batch strategy of each sequence only the priority, and does nothing else with it: so it carries the
 * slot's number, for which the type is too narrow.
 */
const toPriority = (slot: number): EvaluationPriority => (slot + 1) as EvaluationPriority

const describeEngine = (modelFile: string, context: LlamaContext): string =>
  JSON.stringify([
    modelFile,
    context.contextSize,
    context.flashAttention,
    context.kvCacheKeyType,
    context.kvCacheValueType,
  ])
