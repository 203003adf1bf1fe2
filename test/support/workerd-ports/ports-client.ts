import { Miniflare } from 'miniflare'
import { inject } from 'vitest'
import { type Answer, fromAnswer } from '#functions/adapters/workerd/answer.ts'
import type { Accounts } from '#functions/ports/accounts.ts'
import type { JobBus } from '#functions/ports/job-bus.ts'
import type { Registry, RegistryStore, RegistryUpkeep } from '#functions/ports/registry.ts'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import type { JobId, WorkspaceId } from '#shared/ids.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { silenceWorkerd } from '../silence-workerd.ts'
import { decode, encode } from './codec.ts'
import type { PortQuestion } from './entry.ts'
import type { SqlOutcome, SqlStatement } from './sql-transaction.ts'

/** The ports as workerd serves them, for a suite that runs on Node. */
export interface WorkerdPorts {
  ask(question: PortQuestion): Promise<unknown>
  /** Resolves once workerd hears of the job, or of the whole workspace where none is named; `stop` ends it. */
  watch(values: [WorkspaceId, JobId] | [WorkspaceId], listener: (news: unknown) => void): Promise<() => void>
  /** May be called again. */
  close(): Promise<void>
}

/** Starts workerd with the program of the contract suites. `natsUrl` is a WebSocket's, with the edge's password. */
export async function startWorkerdPorts(natsUrl: string): Promise<WorkerdPorts> {
  const bundle = readWorkerdBundle(inject('portsBundle'))
  const miniflare = new Miniflare({
    ...bundle,
    bindings: {
      ...bundle.bindings,
      NATS_URL: natsUrl,
      MILLWRIGHT_TOKEN: 'x'.repeat(43),
      MILLWRIGHT_SIGNING_KEY: 'A'.repeat(43),
    },
    cf: false,
    handleRuntimeStdio: silenceWorkerd,
  })
  const url = await miniflare.ready
  let closed: Promise<void> | undefined
  const post = (question: PortQuestion, signal?: AbortSignal) =>
    fetch(url, { method: 'POST', body: encode(question), ...(signal === undefined ? {} : { signal }) })
  return {
    async ask(question) {
      const response = await post(question)
      const text = await response.text()
      if (!response.ok) throw new Error(`The program of the contract suites failed: ${text}`)
      return fromAnswer('the object', Promise.resolve(decode(text) as Answer<unknown>))
    },
    async watch(values, listener) {
      const stopping = new AbortController()
      const { body } = await post({ port: 'watch', values }, stopping.signal)
      if (body === null) throw new Error('The program of the contract suites has no stream')
      const begun = Promise.withResolvers<void>()
      const hear = async () => {
        for await (const line of linesOf(body)) {
          if (stopping.signal.aborted) return
          if (line === '"watching"') begun.resolve()
          else listener((JSON.parse(line) as { news: unknown }).news)
        }
      }
      // It ends by its own abort, or with workerd.
      hear().catch((error: unknown) => begun.reject(error))
      await begun.promise
      return () => stopping.abort()
    },
    close() {
      closed ??= miniflare.dispose()
      return closed
    },
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

const upkeepMethods: readonly string[] = ['listStale', 'expireJobs', 'pruneJobs', 'hasLiveJobs']

/** The registry of one test, by the time of the test's clock. */
export function registryOf(ports: WorkerdPorts, world: string, clock: { readonly nowMs: number }): RegistryStore {
  return new Proxy({} as RegistryStore, {
    get:
      (_target, name) =>
      (...values: unknown[]) => {
        const method = String(name)
        const question = { world, nowMs: clock.nowMs, values }
        return upkeepMethods.includes(method)
          ? ports.ask({ port: 'upkeep', method: method as keyof RegistryUpkeep, ...question })
          : ports.ask({ port: 'registry', method: method as keyof Registry, ...question })
      },
  })
}

/** The accounts of one test, by the time of the test's clock. */
export function accountsOf(ports: WorkerdPorts, world: string, clock: { readonly nowMs: number }): Accounts {
  return new Proxy({} as Accounts, {
    get:
      (_target, name) =>
      (...values: unknown[]) =>
        ports.ask({ port: 'accounts', world, nowMs: clock.nowMs, method: String(name) as keyof Accounts, values }),
  })
}

export async function transact(ports: WorkerdPorts, world: string, values: SqlStatement[]): Promise<SqlOutcome> {
  return (await ports.ask({ port: 'sql', world, values })) as SqlOutcome
}

/** The same bus, by way of workerd. */
export function busOf(ports: WorkerdPorts): JobBus {
  const ask = (method: Extract<PortQuestion, { port: 'bus' }>['method'], ...values: unknown[]) =>
    ports.ask({ port: 'bus', method, values })
  return {
    publish: async (...values) => void (await ask('publish', ...values)),
    requestCancel: (...values) => void ask('requestCancel', ...values),
    announce: (...values) => void ask('announce', ...values),
    watch: (workspace, job, listener) => ports.watch([workspace, job], (news) => listener(news as JobProgress | null)),
    watchWorkspace: (workspace, listener) =>
      ports.watch([workspace], (news) => listener(news as WorkspaceEvent | null)),
    progress: async (...values) => (await ask('progress', ...values)) as JobProgress | null,
    ping: async () => (await ask('ping')) === true,
  }
}
