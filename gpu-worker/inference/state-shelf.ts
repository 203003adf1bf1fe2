/** What a slot held when it was given to another caller, kept in a file. */
export interface StoredState {
  /** Name of the file. */
  readonly file: string
  /** Whose it is: the cache key of the call. */
  readonly owner: string
  readonly tokens: readonly number[]
  readonly bytes: number
  readonly checksum: number
}

/**
 * With fewer tokens evaluating is as cheap. However short a state is, all answers stop for its writing and its reading, and
 * four files are opened: some 5 ms each way. A GPU that evaluates 10,000 tokens a second takes 26 ms for these, and 57 kB
 * per token (a model of 7 billion weights) make 15 MB to write, check and read, which is about as long.
 */
const STATE_TOKENS_MIN = 256

/**
 * Which states are kept within a budget of bytes, and which are worth their writing and their reading. Knows no files: what
 * it gives back is to be deleted.
 */
export class StateShelf {
  readonly #bytesMax: number
  /** Least recently used first. */
  readonly #states = new Map<string, StoredState>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether a call for `prompt` in a slot that holds `held` would lose enough that no state has. */
  isWorthWriting(held: readonly number[], prompt: readonly number[]): boolean {
    const kept = Math.max(sharedLength(held, prompt), this.#find(held)?.shared ?? 0)
    return held.length - kept >= STATE_TOKENS_MIN
  }

  /** The state that spares a slot which holds `held` enough of this prompt; null where evaluating is as cheap. */
  findBetter(prompt: readonly number[], held: readonly number[]): StoredState | null {
    const found = this.#find(prompt)
    if (found === null) return null
    return found.shared - sharedLength(held, prompt) >= STATE_TOKENS_MIN ? found.state : null
  }

  /** To be called before a state of about so many bytes is written. An owner has one state; those without a name may have more. */
  makeRoom(owner: string, bytes: number): StoredState[] {
    const gone = [...this.#states.values()].filter((state) => owner !== '' && state.owner === owner)
    for (const state of gone) this.remove(state)
    return [...gone, ...this.#shrinkTo(this.#bytesMax - bytes)]
  }

  /** Takes in what was written. What it gives back may be that state itself, where it is larger than the budget. */
  add(state: StoredState): StoredState[] {
    this.#states.delete(state.file)
    this.#states.set(state.file, state)
    return this.#shrinkTo(this.#bytesMax)
  }

  /** It is now the most recently used one. */
  touch(state: StoredState): void {
    if (this.#states.delete(state.file)) this.#states.set(state.file, state)
  }

  remove(state: StoredState): void {
    this.#states.delete(state.file)
  }

  #find(tokens: readonly number[]): { state: StoredState; shared: number } | null {
    let best: { state: StoredState; shared: number } | null = null
    for (const state of this.#states.values()) {
      const shared = sharedLength(state.tokens, tokens)
      if (best === null || shared > best.shared) best = { state, shared }
    }
    return best
  }

  #shrinkTo(bytesMax: number): StoredState[] {
    const gone: StoredState[] = []
    let bytes = this.#states.values().reduce((sum, state) => sum + state.bytes, 0)
    for (const state of this.#states.values()) {
      if (bytes <= bytesMax) break
      this.#states.delete(state.file)
      gone.push(state)
      bytes -= state.bytes
    }
    return gone
  }
}

/** How many tokens two sequences have in common from their start. */
export function sharedLength(one: readonly number[], other: readonly number[]): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return index
  return length
}
