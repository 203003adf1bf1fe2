import { LinkObject } from '#functions/adapters/workerd/link-object.ts'
import type { RemoteWatch } from '#functions/adapters/workerd/runtime.ts'
import type { LinkStub } from '#functions/adapters/workerd/stubs.ts'

/** What a test may do to the object that holds the connection, beside what the product does. */
export interface TestLinkStub extends LinkStub {
  /** Loses all that is in memory, as when the runtime moves the object. No answer comes. */
  putAway(): Promise<void>
  /** Watches fail from now on, or no longer. */
  refuseWatches(refuse: boolean): Promise<void>
  /** How many watches were asked for. */
  watchesAsked(): Promise<number>
}

/** The product's, which can be put away and told to fail. */
export class TestLinkObject extends LinkObject implements TestLinkStub {
  #refuses = false
  #asked = 0

  async putAway(): Promise<void> {
    const { ctx } = this as unknown as { ctx: { abort(reason: string): void } }
    ctx.abort('Put away by a test')
  }

  async refuseWatches(refuse: boolean): Promise<void> {
    this.#refuses = refuse
  }

  async watchesAsked(): Promise<number> {
    return this.#asked
  }

  override async watch(...values: Parameters<LinkObject['watch']>): Promise<RemoteWatch> {
    this.#note()
    return super.watch(...values)
  }

  override async watchWorkspace(...values: Parameters<LinkObject['watchWorkspace']>): Promise<RemoteWatch> {
    this.#note()
    return super.watchWorkspace(...values)
  }

  #note(): void {
    this.#asked++
    if (this.#refuses) throw new Error('Refused by a test')
  }
}
