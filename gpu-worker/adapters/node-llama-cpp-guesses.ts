import { type Token, TokenPredictor } from 'node-llama-cpp'
import { CopyPredictor } from '../inference/copy-predictor.ts'
import type { DraftModel } from './node-llama-cpp-draft.ts'

/** How many tokens to copy next, by how likely a guess is right. */
type ChooseGuessedTokens = (acceptance: number) => number

/**
 * Guesses the next tokens of one slot's answer: those that it may copy from its prompt, or else those of a draft model
 * where there is one. The engine evaluates them together with the last token and keeps those that it would have given
 * itself. So the answer is the same as without; only wrong guesses cost time.
 */
export class GuessingPredictor extends TokenPredictor {
  readonly #choose: ChooseGuessedTokens
  readonly #draft: DraftModel | null
  #copy: CopyPredictor | null = null
  #tokensLeft = 0

  constructor(choose: ChooseGuessedTokens, draft: DraftModel | null) {
    super()
    this.#choose = choose
    this.#draft = draft
  }

  /** `prompt` is the whole of it, also what the slot still holds. */
  begin(prompt: readonly Token[], answerTokensMax: number): void {
    this.#copy = new CopyPredictor(prompt)
    this.#tokensLeft = answerTokensMax
  }

  end(): void {
    this.#copy = null
  }

  /** The engine tells what its sequence holds. Of the prompt `begin` has told already. */
  override async reset({ stateTokens }: Parameters<TokenPredictor['reset']>[0]): Promise<void> {
    await this.#draft?.follow(stateTokens)
  }

  override pushTokens(tokens: Token[]): void {
    this.#tokensLeft -= tokens.length
    for (const token of tokens) this.#copy?.push(token)
    this.#draft?.push(tokens)
  }

  override predictTokens(): Promise<Token[]> | Token[] {
    if (this.#copy === null) return []
    // One more than the guessed ones comes of every step: what goes beyond the answer's room is work for nothing.
    const tokensMax = Math.max(0, this.#tokensLeft - 1)
    const copied = this.#copy.predict(Math.min(tokensMax, this.#choose(this.#copy.acceptance)))
    if (copied.length === 0 && this.#draft !== null) return this.#draft.predict(tokensMax)
    return copied.map((token) => token as Token)
  }
}
