import { DurableObject } from 'cloudflare:workers'
import { createSqlAccounts } from '../../accounts/sql-accounts.ts'
import type { Accounts } from '../../ports/accounts.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { type Answer, toAnswer } from './answer.ts'
import { createConsoleLog } from './console-log.ts'
import { createDurableSql } from './durable-sql.ts'
import type { ObjectState } from './runtime.ts'
import type { AccountsStub } from './stubs.ts'

/** As on Node: what is over is removed once an hour. */
const PRUNE_INTERVAL_MS = 60 * 60_000

/**
 * Who there is and what they hold, for all workspaces: there is one object, so that its statements run one after the other
 * and what is used once is used once. From its first question on its alarm prunes it.
 */
export class AccountsObject extends DurableObject<unknown> implements AccountsStub {
  readonly #accounts: Accounts
  readonly #log: Log
  #isArmed = false

  constructor(
    ctx: ObjectState,
    env: unknown,
    { clock = { now: () => Date.now() }, log = createConsoleLog() }: { clock?: Clock; log?: Log } = {},
  ) {
    super(ctx, env)
    this.#log = log
    this.#accounts = createSqlAccounts(createDurableSql(ctx.storage), clock)
  }

  async call<Method extends keyof Accounts>(
    method: Method,
    values: Parameters<Accounts[Method]>,
  ): Promise<Answer<Awaited<ReturnType<Accounts[Method]>>>> {
    const run = this.#accounts[method] as (
      ...values: Parameters<Accounts[Method]>
    ) => Promise<Awaited<ReturnType<Accounts[Method]>>>
    const answer = await toAnswer(() => run(...values), this.#log)
    if (!this.#isArmed) await this.#arm()
    return answer
  }

  /** Never rejects: the runtime gives up an alarm that fails several times, and with it the pruning. */
  async alarm(): Promise<void> {
    try {
      await this.#accounts.prune()
    } catch (error) {
      this.#log.error('Cannot prune the accounts', error)
    }
    await this.#pruneLater()
  }

  /** Never rejects: what was asked has been done. */
  async #arm(): Promise<void> {
    try {
      if ((await this.ctx.storage.getAlarm()) === null) await this.#pruneLater()
      this.#isArmed = true
    } catch (error) {
      this.#log.error('Cannot set the alarm of the accounts', error)
    }
  }

  #pruneLater(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + PRUNE_INTERVAL_MS)
  }
}
