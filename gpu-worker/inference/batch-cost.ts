/** What is known of batches of one size. */
interface Observed {
  ms: number
  /** The number of the batch in which it was seen last. */
  batch: number
}

/** What was seen longer ago than this many batches counts no more: contexts grow, and machines get busy. */
const MEMORY_BATCHES = 50
/** A batch that took long may have been unlucky; one that was fast was not lucky. */
const SHARE_OF_SLOWER = 0.2
const SHARE_OF_FASTER = 0.5

/**
 * How long a batch of answer tokens takes by their number, learnt from the batches as they pass. That decides whether
 * guessed tokens pay, and it differs by far: between a CPU and a GPU, between quantisations (with Q8_0 two tokens take
 * 2.5 times as long as one, with Q4_0 about twice), and with what else the machine does.
 */
export class BatchCost {
  readonly #tokenShare: number
  readonly #seen = new Map<number, Observed>()
  #batches = 0
  #latest: { tokens: number; ms: number } | null = null

  /** `tokenShare`: what one more token adds to a batch of one, as long as nothing better is known. */
  constructor(tokenShare: number) {
    this.#tokenShare = tokenShare
  }

  record(tokens: number, ms: number): void {
    // What was expected counts as if it had been seen: one unlucky batch must not put an end to guessing.
    const before = this.#latest === null ? ms : this.of(tokens)
    const next = before + (ms < before ? SHARE_OF_FASTER : SHARE_OF_SLOWER) * (ms - before)
    this.#batches++
    this.#seen.set(tokens, { ms: next, batch: this.#batches })
    this.#latest = { tokens, ms: next }
  }

  /** Comparable among themselves: milliseconds as soon as any batch was seen. */
  of(tokens: number): number {
    const known = this.#known(tokens)
    if (known !== null) return known
    const expected = this.#expected(tokens)
    return this.#latest === null ? expected : (this.#latest.ms * expected) / this.#expected(this.#latest.tokens)
  }

  /** Whether such a batch was seen, not too long ago. */
  knows(tokens: number): boolean {
    return this.#known(tokens) !== null
  }

  #known(tokens: number): number | null {
    const seen = this.#seen.get(tokens)
    return seen === undefined || this.#batches - seen.batch > MEMORY_BATCHES ? null : seen.ms
  }

  #expected = (tokens: number): number => 1 + this.#tokenShare * (tokens - 1)
}
