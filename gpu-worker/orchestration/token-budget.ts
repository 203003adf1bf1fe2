import { AppError } from '#shared/errors.ts'
import type { Usage } from '#shared/schemas/job.ts'
import type { ChatTurn, LanguageModel } from '../ports/language-model.ts'

/** What a chat template puts around a turn and in front of all, with room to spare. */
const TURN_TOKENS = 16
const TEMPLATE_TOKENS = 128

/**
 * Tokens, of prompts and of answers, that the models of a run may use together. A call is only made where all that it may
 * take is still there, so the bound holds to the token whatever the model says.
 */
export class TokenBudget {
  readonly #max: number
  #used: number
  #reserved = 0
  #isSpent = false
  #settled = Promise.withResolvers<void>()

  /** `used` is what the run has used before it was interrupted. */
  constructor(max: number | null, used: number) {
    this.#max = max ?? Number.POSITIVE_INFINITY
    this.#used = used
  }

  get used(): number {
    return this.#used
  }

  /** A call was refused: the run is over, as far as tokens go. */
  get isSpent(): boolean {
    return this.#isSpent
  }

  /** Sets tokens aside. Waits for calls under way that may give some back; rejects with `busy` where none can. */
  async reserve(tokens: number): Promise<void> {
    while (this.#used + this.#reserved + tokens > this.#max) {
      if (this.#reserved === 0) {
        this.#isSpent = true
        const left = Math.max(0, this.#max - this.#used)
        throw new AppError('busy', `Cannot ask the model: it takes up to ${tokens} tokens, and ${left} are left`, {
          hint: 'Give a larger budget.tokens',
        })
      }
      await this.#settled.promise
    }
    this.#reserved += tokens
  }

  /** Ends a reservation with what was really used. */
  settle(reserved: number, used: number): void {
    this.#reserved -= reserved
    this.#used += used
    this.#settled.resolve()
    this.#settled = Promise.withResolvers()
  }
}

/** A model that answers only as long as the budget lasts. `onUsage` is told of each answer before anybody else is. */
export function withinBudget(
  model: LanguageModel,
  budget: TokenBudget,
  onUsage: (usage: Usage) => void,
): LanguageModel {
  return {
    name: model.name,
    info: () => model.info(),
    countTokens: (text, signal) => model.countTokens(text, signal),
    memoryBytes: () => model.memoryBytes(),
    // Lent, not owned.
    close: async () => {},
    async generate(request, options) {
      const reserved = (await countPrompt(model, request.turns, options.signal)) + request.answerTokensMax
      await budget.reserve(reserved)
      let used = 0
      try {
        const result = await model.generate(request, options)
        used = result.usage.prompt_tokens + result.usage.completion_tokens
        onUsage(result.usage)
        return result
      } finally {
        budget.settle(reserved, used)
      }
    },
  }
}

async function countPrompt(model: LanguageModel, turns: readonly ChatTurn[], signal: AbortSignal): Promise<number> {
  const counts = await Promise.all(turns.map(({ text }) => model.countTokens(text, signal)))
  return counts.reduce((sum, count) => sum + count + TURN_TOKENS, TEMPLATE_TOKENS)
}
