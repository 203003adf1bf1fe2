/** How many tokens back a place is compared with what was written, to tell it from others that look like it. */
const LOOK_BACK = 16
/** A new token's share in the estimate: about the last ten tokens count. */
const ESTIMATE_SHARE = 0.15
/** Where copying has just begun nothing is known. */
const ESTIMATE_START = 0.6
/** More than any vocabulary has tokens; two of them make one key. */
const TOKENS_MAX = 2 ** 20

/**
 * Guesses the next tokens of an answer that copies its prompt with changes, as the answer to an edit does. It follows
 * the answer along the prompt. At a token that differs it takes the next one of the prompt to be copied again, since
 * most changes are small; where that fails it looks for the last two tokens, near the place at which copying ended.
 *
 * Every token is compared with the guess, also where nobody asked for one, so that `acceptance` is always known: how
 * likely the next guess is right, from 0 to 1.
 */
export class CopyPredictor {
  readonly #source: readonly number[]
  /** Where each pair of tokens of the prompt ends, in order. */
  readonly #endsOfPair = new Map<number, number[]>()
  readonly #answer: number[] = []
  /** Where in the prompt the next token is expected. */
  #at: number | null = null
  /** Where it was expected when copying ended last. */
  #left: number | null = null
  #copied = false
  acceptance = ESTIMATE_START

  constructor(prompt: readonly number[]) {
    this.#source = prompt
    for (let end = 2; end <= prompt.length; end++) {
      const key = toKey(prompt[end - 2], prompt[end - 1])
      const ends = this.#endsOfPair.get(key)
      if (ends === undefined) this.#endsOfPair.set(key, [end])
      else ends.push(end)
    }
  }

  /** The next token of the answer, as it really is. */
  push(token: number): void {
    const expectedAt = this.#at
    const hit = expectedAt !== null && this.#source[expectedAt] === token
    if (expectedAt !== null) this.acceptance += ESTIMATE_SHARE * (Number(hit) - this.acceptance)
    this.#answer.push(token)
    if (hit) {
      this.#at = expectedAt + 1
    } else if (expectedAt !== null && this.#copied) {
      this.#left = expectedAt
      this.#at = expectedAt + 1
    } else {
      this.#at = this.#find()
    }
    this.#copied = hit
  }

  /** At most so many tokens that may come next; none where the answer is not a copy at the moment. */
  predict(tokensMax: number): number[] {
    return this.#at === null ? [] : this.#source.slice(this.#at, this.#at + tokensMax)
  }

  /** The place whose past is most like the answer's; of several the nearest to where copying ended, or else the last. */
  #find(): number | null {
    const [before, last] = this.#answer.slice(-2)
    if (last === undefined) return null
    let best: { at: number; length: number; distance: number } | null = null
    for (const at of this.#endsOfPair.get(toKey(before, last)) ?? []) {
      const length = this.#lengthOfMatch(at)
      const distance = this.#left === null ? -at : Math.abs(at - this.#left)
      if (best === null || length > best.length || (length === best.length && distance < best.distance)) {
        best = { at, length, distance }
      }
    }
    return best?.at ?? null
  }

  #lengthOfMatch(end: number): number {
    let length = 2
    while (length < LOOK_BACK && length < end && this.#isSame(end, length)) length++
    return length
  }

  #isSame(end: number, back: number): boolean {
    const written = this.#answer.at(-1 - back)
    return written !== undefined && this.#source[end - 1 - back] === written
  }
}

const toKey = (one = 0, other = 0): number => one * TOKENS_MAX + other
