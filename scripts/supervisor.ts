import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit, type ExitReport } from './bound-process.ts'

/** A part of the stack that runs as a process of its own. */
export interface Service {
  readonly name: string
  /**
   * Starts it and resolves when it can be used. Rejects, with nothing left running, where it cannot or `signal` aborts.
   * Called again after it has died.
   */
  start(signal: AbortSignal): Promise<RunningService>
}

export interface RunningService {
  readonly pid: number
  /** Resolves when it has ended. Never rejects. */
  readonly exited: Promise<ExitReport>
  /** Ends it in an orderly way, or by force where that takes too long. */
  stop(): Promise<unknown>
  /** Ends it by force, at once. */
  kill(): void
}

export interface SupervisorOptions {
  readonly services: readonly Service[]
  readonly log: (line: string) => void
  readonly backoff?: Backoff
  /** Called with the process ids after each start and each end. */
  readonly onChange?: (pids: Record<string, number>) => void
}

/** How long to wait before a dead service is started again: doubling from `firstMs`, forgotten after `healthyMs`. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  readonly healthyMs: number
}

const defaultBackoff: Backoff = { firstMs: 1000, maxMs: 30_000, healthyMs: 60_000 }

export interface Supervisor {
  /** Starts the services in order, each when the one before is ready. Rejects, with all stopped, where one cannot. */
  start(): Promise<void>
  /** Ends them in reverse order; nothing is started again. May be called at any time, and repeated. */
  stop(): Promise<void>
  /** Ends all by force, at once. */
  kill(): void
  /** Process ids of what runs now, by service. */
  pids(): Record<string, number>
}

/** Keeps services running: what dies is started again, with a growing wait, until `stop`. */
export function createSupervisor({
  services,
  log,
  backoff = defaultBackoff,
  onChange = () => undefined,
}: SupervisorOptions): Supervisor {
  const running = new Map<string, RunningService>()
  const stopping = new AbortController()
  const watches: Promise<void>[] = []
  let starting: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  const pids = () => Object.fromEntries([...running].map(([name, { pid }]) => [name, pid]))

  async function startOne(service: Service): Promise<RunningService> {
    const instance = await service.start(stopping.signal)
    running.set(service.name, instance)
    onChange(pids())
    return instance
  }

  /** Never rejects: it ends when the supervisor stops. */
  async function watch(service: Service, first: RunningService): Promise<void> {
    let waitMs = backoff.firstMs
    let instance: RunningService | undefined = first
    let startedAt = Date.now()
    while (!stopping.signal.aborted) {
      if (instance !== undefined) {
        const exit = await instance.exited
        running.delete(service.name)
        onChange(pids())
        if (stopping.signal.aborted) return
        if (Date.now() - startedAt >= backoff.healthyMs) waitMs = backoff.firstMs
        log(`${service.name} ended (${describeExit(exit)}); starting it again in ${waitMs / 1000} s`)
      }
      try {
        await sleep(waitMs, undefined, { signal: stopping.signal })
      } catch {
        return
      }
      waitMs = Math.min(waitMs * 2, backoff.maxMs)
      try {
        startedAt = Date.now()
        instance = await startOne(service)
        if (!stopping.signal.aborted) log(`${service.name} runs again (process ${instance.pid})`)
      } catch (error) {
        instance = undefined
        if (stopping.signal.aborted) return
        log(`${error instanceof Error ? error.message : error}; trying again in ${waitMs / 1000} s`)
      }
    }
  }

  async function startAll(): Promise<void> {
    for (const service of services) {
      if (stopping.signal.aborted) throw new Error(`Cannot start ${service.name}: the stack is stopping`)
      const instance = await startOne(service)
      watches.push(watch(service, instance))
    }
  }

  async function stopAll(): Promise<void> {
    stopping.abort()
    await starting?.catch(() => undefined)
    for (const service of [...services].reverse()) {
      // One that was just being started again is in the map when its start has settled, or has cleaned up.
      await running.get(service.name)?.stop()
    }
    await Promise.all(watches)
    await Promise.all([...running.values()].map((instance) => instance.stop()))
    running.clear()
  }

  const supervisor: Supervisor = {
    async start() {
      starting ??= startAll()
      try {
        await starting
      } catch (error) {
        await supervisor.stop()
        throw error
      }
    },
    stop() {
      stopped ??= stopAll()
      return stopped
    },
    kill() {
      stopping.abort()
      for (const instance of running.values()) instance.kill()
    },
    pids,
  }
  return supervisor
}
