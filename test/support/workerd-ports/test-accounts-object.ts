import { AccountsObject } from '#functions/adapters/workerd/accounts-object.ts'
import type { ObjectState } from '#functions/adapters/workerd/runtime.ts'
import type { AccountsStub } from '#functions/adapters/workerd/stubs.ts'

/** What a test may do to the accounts beside what the product does. */
export interface TestAccountsStub extends AccountsStub {
  setTime(nowMs: number): Promise<void>
  /** When the object's alarm is set for, or null. */
  alarmAt(): Promise<number | null>
  /** Does what the runtime does when the time has come. */
  fireAlarm(): Promise<void>
}

/** The accounts' object on a clock of the test's. */
export class TestAccountsObject extends AccountsObject implements TestAccountsStub {
  readonly #clock: { nowMs: number }

  constructor(ctx: ObjectState, env: unknown) {
    const clock = { nowMs: Date.UTC(2026, 0, 1) }
    super(ctx, env, { clock: { now: () => clock.nowMs } })
    this.#clock = clock
  }

  async setTime(nowMs: number): Promise<void> {
    this.#clock.nowMs = nowMs
  }

  alarmAt(): Promise<number | null> {
    return this.ctx.storage.getAlarm()
  }

  fireAlarm(): Promise<void> {
    return this.alarm()
  }
}
