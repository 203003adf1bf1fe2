import { DraftSequenceTokenPredictor, type LlamaContextSequence, type Token } from 'node-llama-cpp'
import type { DraftPace, DraftRound } from '../inference/draft-pace.ts'

/** The engine's own threshold: below it a guess is wrong too often to be worth its evaluation. */
const CONFIDENCE_MIN = 0.6
/** Read in one go with the last token, they take hardly longer than it alone. */
const READ_WITH_A_GUESS_MAX = 8

interface Guesses {
  readonly tokens: readonly Token[]
  /** How many tokens were known when they were made. */
  readonly at: number
}

/**
 * A smaller model that follows one slot's answer and guesses how it goes on.
 *
 * In place of the engine's `DraftSequenceTokenPredictor`, which guesses while the answer is evaluated and, with several
 * answers at once, may wait for ever for a guess that it has given up.
 */
export class DraftModel {
  readonly #sequence: LlamaContextSequence
  readonly #pace: DraftPace
  /** What the answer's sequence holds, and the token that it evaluates next. */
  #tokens: Token[] = []

  /** Those of which it is not yet known how many are right. */
  #guessed: Guesses | null = null

  constructor(sequence: LlamaContextSequence, pace: DraftPace) {
    this.#sequence = sequence
    this.#pace = pace
  }

  /** Rejects where its vocabulary is another one. */
  async check(targetSequence: LlamaContextSequence): Promise<void> {
    await new DraftSequenceTokenPredictor(this.#sequence).reset({
      targetSequence,
      stateTokens: [],
      evaluateOptions: {},
    })
  }

  /** Evaluates what it has not seen yet: called for each piece of a prompt, so that no guess has to wait for all of it. */
  async follow(tokens: readonly Token[]): Promise<void> {
    this.#tokens = [...tokens]
    this.#guessed = null
    if (this.#room < 1 || this.#pace.isPaused) return
    const unseen = (await this.#unseen()).slice(0, -1)
    if (unseen.length > 0) await this.#sequence.evaluateWithoutGeneratingNewTokens(unseen)
  }

  push(tokens: readonly Token[]): void {
    this.#tokens.push(...tokens)
    const round = this.#guessed === null ? null : this.#compare(this.#guessed)
    // The engine tells each token by itself: the round is over with the first that was not guessed.
    if (round !== null) this.#guessed = null
    this.#pace.wrote(tokens.length, round)
  }

  /** What the guesses were worth; null while all that was written since was guessed. */
  #compare({ tokens, at }: Guesses): DraftRound | null {
    const written = this.#tokens.slice(at)
    const wrong = written.findIndex((token, index) => token !== tokens[index])
    if (wrong === -1) return null
    // One that it did not dare to say has cost what a wrong one costs.
    return { guessed: Math.max(1, tokens.length), right: wrong }
  }

  /** At most so many tokens that may come next; none where guesses do not pay. */
  async predict(tokensMax: number): Promise<Token[]> {
    const count = Math.min(tokensMax, this.#room, this.#room < 1 || tokensMax < 1 ? 0 : this.#pace.choose())
    const guessed: Token[] = []
    if (count < 1) return guessed
    const options = { temperature: 0, yieldEogToken: true }
    const unseen = await this.#unseen()
    const begun = performance.now()
    const times: number[] = []
    for await (const { token, confidence } of this.#sequence.evaluateWithMetadata(
      unseen,
      { confidence: true },
      options,
    )) {
      times.push(performance.now())
      if (confidence < CONFIDENCE_MIN) break
      guessed.push(token)
      if (guessed.length === count) break
    }
    this.#measure(begun, times, unseen.length)
    this.#guessed = { tokens: guessed, at: this.#tokens.length }
    return guessed
  }

  /** The first guess comes behind what had to be read: where that was much, it says nothing of what a guess takes. */
  #measure(begun: number, times: readonly number[], read: number): void {
    const [first = begun] = times
    const last = times.at(-1) ?? begun
    if (times.length > 1) this.#pace.measured((last - first) / (times.length - 1))
    else if (read <= READ_WITH_A_GUESS_MAX) this.#pace.measured(last - begun)
  }

  /** Tokens that its context has left; a draft model's may be smaller than the answer's. */
  get #room(): number {
    return this.#tokens.length === 0 ? 0 : this.#sequence.contextSize - 1 - this.#tokens.length
  }

  /** Cuts its sequence to what is right of it, and answers the rest: the last token at least. */
  async #unseen(): Promise<Token[]> {
    const sequence = this.#sequence
    const shared = Math.min(sequence.compareContextTokens(this.#tokens).firstDifferentIndex, this.#tokens.length - 1)
    if (shared < sequence.nextTokenIndex) {
      await sequence.eraseContextTokenRanges([{ start: shared, end: sequence.nextTokenIndex }])
    }
    return this.#tokens.slice(Math.min(shared, sequence.nextTokenIndex))
  }
}
