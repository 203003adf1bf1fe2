/**
 * Stops answers between two tokens for work that needs the engine's whole context. The engine holds the context's lock for
 * as long as any slot has queued a token, so that with several answers under way nobody else gets it but the erasing that
 * our patch mends.
 */
export class Intermission {
  #holders = 0
  #over: PromiseWithResolvers<void> | null = null

  /** Does the work when all answers have stopped; they go on when it is done. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holders++
    this.#over ??= Promise.withResolvers()
    try {
      return await work()
    } finally {
      if (--this.#holders === 0) {
        this.#over.resolve()
        this.#over = null
      }
    }
  }

  /** To be passed before each next token; no wait, not even a tick, where there is nothing to wait for. */
  get pause(): Promise<void> | null {
    return this.#over?.promise ?? null
  }
}
