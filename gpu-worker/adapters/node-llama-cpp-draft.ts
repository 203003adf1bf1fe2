import { DraftSequenceTokenPredictor, type LlamaContextSequence, type Token } from 'node-llama-cpp'

/** With the token in front of them they fill the tiles in which the CPU's kernels work, see lookup.ts. */
const GUESSED_MAX = 7
/** The engine's own threshold: below it a guess is wrong too often to be worth its evaluation. */
const CONFIDENCE_MIN = 0.6

/**
 * A smaller model that follows one slot's answer and guesses how it goes on.
 *
 * In place of the engine's `DraftSequenceTokenPredictor`, which guesses while the answer is evaluated and, with several
 * answers at once, may wait for ever for a guess that it has given up.
 */
export class DraftModel {
  readonly #sequence: LlamaContextSequence
  /** What the answer's sequence holds, and the token that it evaluates next. */
  #tokens: Token[] = []

  constructor(sequence: LlamaContextSequence) {
    this.#sequence = sequence
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
    if (this.#room < 1) return
    const unseen = (await this.#unseen()).slice(0, -1)
    if (unseen.length > 0) await this.#sequence.evaluateWithoutGeneratingNewTokens(unseen)
  }

  push(tokens: readonly Token[]): void {
    this.#tokens.push(...tokens)
  }

  /** At most so many tokens that may come next. */
  async predict(tokensMax: number): Promise<Token[]> {
    const count = Math.min(tokensMax, GUESSED_MAX, this.#room)
    const guessed: Token[] = []
    if (count < 1) return guessed
    const options = { temperature: 0, yieldEogToken: true }
    const unseen = await this.#unseen()
    for await (const { token, confidence } of this.#sequence.evaluateWithMetadata(
      unseen,
      { confidence: true },
      options,
    )) {
      if (confidence < CONFIDENCE_MIN) break
      guessed.push(token)
      if (guessed.length === count) break
    }
    return guessed
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
