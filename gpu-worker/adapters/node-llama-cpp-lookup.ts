import { type Token, TokenPredictor } from 'node-llama-cpp'
import { CopyPredictor } from '../inference/copy-predictor.ts'

/** How many tokens to guess next, by how likely a guess is right. */
export type ChooseGuessedTokens = (acceptance: number) => number

/**
 * Prompt lookup for one slot of the engine, which evaluates the guessed tokens together with the last one and keeps those
 * that it would have given itself. So the answer is the same as without; only wrong guesses cost time.
 */
export class LookupPredictor extends TokenPredictor {
  readonly #choose: ChooseGuessedTokens
  #copy: CopyPredictor | null = null
  #tokensLeft = 0

  constructor(choose: ChooseGuessedTokens) {
    super()
    this.#choose = choose
  }

  /** `prompt` is the whole of it, also what the slot still holds. */
  begin(prompt: readonly Token[], answerTokensMax: number): void {
    this.#copy = new CopyPredictor(prompt)
    this.#tokensLeft = answerTokensMax
  }

  end(): void {
    this.#copy = null
  }

  /** The engine would tell what its sequence holds, which `begin` has told already. */
  override reset(): void {}

  override pushTokens(tokens: Token[]): void {
    this.#tokensLeft -= tokens.length
    for (const token of tokens) this.#copy?.push(token)
  }

  override predictTokens(): Token[] {
    if (this.#copy === null) return []
    // One more than the guessed ones comes of every step: what goes beyond the answer's room is work for nothing.
    const tokensMax = Math.min(this.#tokensLeft - 1, this.#choose(this.#copy.acceptance))
    return tokensMax <= 0 ? [] : this.#copy.predict(tokensMax).map((token) => token as Token)
  }
}
