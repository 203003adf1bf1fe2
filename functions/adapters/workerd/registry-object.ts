import { DurableObject } from 'cloudflare:workers'
import { sweepJobs } from '../../jobs/sweep.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistryStore } from '../../ports/registry.ts'
import { createSqlRegistry } from '../../registry/sql-registry.ts'
import { type Answer, toAnswer } from './answer.ts'
import { createConsoleLog } from './console-log.ts'
import { createDurableSql } from './durable-sql.ts'
import { createObjectJobBus } from './object-job-bus.ts'
import { createObjectWorkerCalls } from './object-worker-calls.ts'
import type { ObjectNamespace, ObjectState } from './runtime.ts'
import type { LinkStub, RegistryStub } from './stubs.ts'

/** Between two sweeps while jobs are under way. */
const SWEEP_INTERVAL_MS = 10_000
const PRUNE_INTERVAL_MS = 60 * 60_000

export interface RegistryEnvironment {
  readonly LINK: ObjectNamespace<LinkStub>
}

/**
 * The registry of one workspace: there is one object of a name, so all edges share it and its statements run one after the
 * other. It repairs what crashes leave by its alarm, which is set while jobs are under way and never else.
 */
export class RegistryObject extends DurableObject<RegistryEnvironment> implements RegistryStub {
  readonly #registry: RegistryStore
  readonly #clock: Clock
  readonly #log: Log
  #prunedAt = 0

  constructor(
    ctx: ObjectState,
    env: RegistryEnvironment,
    { clock = { now: () => Date.now() }, log = createConsoleLog() }: { clock?: Clock; log?: Log } = {},
  ) {
    super(ctx, env)
    this.#clock = clock
    this.#log = log
    this.#registry = createSqlRegistry(createDurableSql(ctx.storage), clock, log)
  }

  async call<Method extends keyof RegistryStore>(
    method: Method,
    values: Parameters<RegistryStore[Method]>,
  ): Promise<Answer<Awaited<ReturnType<RegistryStore[Method]>>>> {
    const run = this.#registry[method] as (
      ...values: Parameters<RegistryStore[Method]>
    ) => Promise<Awaited<ReturnType<RegistryStore[Method]>>>
    const answer = await toAnswer(() => run(...values), this.#log)
    if (method === 'createJob' && (await this.ctx.storage.getAlarm()) === null) await this.#sweepLater()
    return answer
  }

  /** Never rejects: the runtime gives up an alarm that fails several times, and with it the sweep. */
  async alarm(): Promise<void> {
    try {
      await this.#repair()
    } catch (error) {
      this.#log.error('A repair failed', error)
    }
    if (await this.#registry.hasLiveJobs().catch(() => true)) await this.#sweepLater()
  }

  async #repair(): Promise<void> {
    const { LINK } = this.env
    const ports = { bus: createObjectJobBus(LINK), workers: createObjectWorkerCalls(LINK), clock: this.#clock }
    await sweepJobs({ ...ports, registry: this.#registry })
    if (this.#clock.now() - this.#prunedAt < PRUNE_INTERVAL_MS) return
    await this.#registry.pruneJobs()
    this.#prunedAt = this.#clock.now()
  }

  #sweepLater(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + SWEEP_INTERVAL_MS)
  }
}
