import { createDurableSql } from '#functions/adapters/workerd/durable-sql.ts'
import { type RegistryEnvironment, RegistryObject } from '#functions/adapters/workerd/registry-object.ts'
import type { ObjectState } from '#functions/adapters/workerd/runtime.ts'
import type { RegistryStub } from '#functions/adapters/workerd/stubs.ts'
import type { Sql } from '#functions/ports/sql.ts'
import { runTransaction, type SqlOutcome, type SqlStatement } from './sql-transaction.ts'

/** What a test may do to a registry beside what the product does. */
export interface TestRegistryStub extends RegistryStub {
  setTime(nowMs: number): Promise<void>
  /** What was reported to the operator so far. */
  reports(): Promise<string[]>
  /** Several statements as one transaction; the rows of each, or how many it changed where it returns none. */
  transact(statements: readonly SqlStatement[]): Promise<SqlOutcome>
  /** When the object's alarm is set for, or null. */
  alarmAt(): Promise<number | null>
  /** Does what the runtime does when the time has come. */
  fireAlarm(): Promise<void>
}

/** The registry's object on a clock of the test's, its database open to the test. */
export class TestRegistryObject extends RegistryObject implements TestRegistryStub {
  readonly #clock: { nowMs: number }
  readonly #reports: string[]
  readonly #sql: Sql

  constructor(ctx: ObjectState, env: RegistryEnvironment) {
    const clock = { nowMs: Date.UTC(2026, 0, 1) }
    const reports: string[] = []
    const log = { info: () => undefined, error: (message: string) => void reports.push(message) }
    super(ctx, env, { clock: { now: () => clock.nowMs }, log })
    this.#clock = clock
    this.#reports = reports
    this.#sql = createDurableSql(ctx.storage)
  }

  async setTime(nowMs: number): Promise<void> {
    this.#clock.nowMs = nowMs
  }

  async reports(): Promise<string[]> {
    return this.#reports
  }

  async transact(statements: readonly SqlStatement[]): Promise<SqlOutcome> {
    return runTransaction(this.#sql, statements)
  }

  alarmAt(): Promise<number | null> {
    return this.ctx.storage.getAlarm()
  }

  fireAlarm(): Promise<void> {
    return this.alarm()
  }
}
