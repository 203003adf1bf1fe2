import type { BatchCost } from './batch-cost.ts'

/** Numbers of guessed tokens, as with copies: with the token in front of them they fill the tiles of the CPU's kernels. */
const LENGTHS = [1, 3, 7] as const
/** What is guessed to learn what a guess costs. */
const TRIAL_TOKENS = 3
/** Guesses must promise this much, or the model writes faster without. */
const GAIN_MIN = 1.1
/** A new guess's share in the estimates: about the last ten count. */
const ESTIMATE_SHARE = 0.15
const ACCEPTANCE_START = 0.8
/**
 * Tokens that are written without a guess once guessing has not paid. Twice as many each time, since a draft model that
 * comes back has to read first what it has missed.
 */
const PAUSE_TOKENS_MIN = 64
const PAUSE_TOKENS_MAX = 4096

/** What one round of guesses was worth. */
export interface DraftRound {
  readonly guessed: number
  /** Of these, the ones that the model itself then gave. */
  readonly right: number
}

/**
 * Decides how many tokens a draft model guesses, by what its guesses cost and how often they are right: measured as the
 * answers go, since both differ by machine and by pair of models. Where they do not pay it guesses nothing, and tries
 * again later. One for all answers of a model.
 */
export class DraftPace {
  readonly #cost: Pick<BatchCost, 'of' | 'knows'>
  readonly #answers: () => number
  #acceptance = ACCEPTANCE_START
  /** Of the draft model, in milliseconds. Null until one was measured. */
  #msPerGuess: number | null = null
  #pauseTokens = PAUSE_TOKENS_MIN
  #pauseLeft = 0

  /** `answers`: how many share a batch at the moment. */
  constructor(cost: Pick<BatchCost, 'of' | 'knows'>, answers: () => number) {
    this.#cost = cost
    this.#answers = answers
  }

  /** Nothing is guessed for now, so that the draft model need not follow. */
  get isPaused(): boolean {
    return this.#pauseLeft > 0
  }

  /** How many tokens to guess next. */
  choose(): number {
    const answers = Math.max(1, this.#answers())
    // What a batch takes without guesses is seen first.
    if (this.isPaused || !this.#cost.knows(answers)) return 0
    const msPerGuess = this.#msPerGuess
    if (msPerGuess === null) return TRIAL_TOKENS
    const alone = 1 / this.#cost.of(answers)
    let best = 0
    let bestSpeed = alone * GAIN_MIN
    for (const length of LENGTHS) {
      const speed = this.#expected(length) / (this.#cost.of(answers * (1 + length)) + length * msPerGuess)
      if (speed > bestSpeed) [best, bestSpeed] = [length, speed]
    }
    if (best === 0) this.#pause()
    else this.#pauseTokens = PAUSE_TOKENS_MIN
    return best
  }

  /** What each of some guesses took, without what the draft model had to read before. */
  measured(msPerGuess: number): void {
    const before = this.#msPerGuess ?? msPerGuess
    this.#msPerGuess = before + ESTIMATE_SHARE * (msPerGuess - before)
  }

  /** Tokens that the answer has got, and what had been guessed of them. */
  wrote(tokens: number, round: DraftRound | null): void {
    this.#pauseLeft = Math.max(0, this.#pauseLeft - tokens)
    if (round === null) return
    const { guessed, right } = round
    for (let at = 0; at < Math.min(guessed, right + 1); at++) {
      this.#acceptance += ESTIMATE_SHARE * (Number(at < right) - this.#acceptance)
    }
  }

  #pause(): void {
    this.#pauseLeft = this.#pauseTokens
    this.#pauseTokens = Math.min(PAUSE_TOKENS_MAX, 2 * this.#pauseTokens)
    // What is measured then may be another: the machine is less busy, or the task easier to guess.
    this.#msPerGuess = null
    this.#acceptance = ACCEPTANCE_START
  }

  /** The guessed ones up to the first that is wrong, and the one that the model itself then gives. */
  #expected(guessed: number): number {
    let tokens = 1
    for (let length = 1; length <= guessed; length++) tokens += this.#acceptance ** length
    return tokens
  }
}
