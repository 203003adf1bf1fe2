import { type Answer, toAnswer } from '#functions/adapters/workerd/answer.ts'
import { createObjectAccounts } from '#functions/adapters/workerd/object-accounts.ts'
import { createObjectJobBus } from '#functions/adapters/workerd/object-job-bus.ts'
import { createObjectRegistry } from '#functions/adapters/workerd/object-registry.ts'
import { createObjectWorkerCalls } from '#functions/adapters/workerd/object-worker-calls.ts'
import type { ObjectNamespace } from '#functions/adapters/workerd/runtime.ts'
import { linkOf } from '#functions/adapters/workerd/stubs.ts'
import type { Accounts } from '#functions/ports/accounts.ts'
import type { JobBus } from '#functions/ports/job-bus.ts'
import type { Registry, RegistryUpkeep } from '#functions/ports/registry.ts'
import type { WorkerCalls } from '#functions/ports/worker-calls.ts'
import { type JobId, toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { decode, encode } from './codec.ts'
import type { SqlStatement } from './sql-transaction.ts'
import { TestAccountsObject, type TestAccountsStub } from './test-accounts-object.ts'
import { TestLinkObject, type TestLinkStub } from './test-link-object.ts'
import { TestRegistryObject, type TestRegistryStub } from './test-registry-object.ts'

// The ports as workerd's adapters serve them, each method by a POST: what a contract suite outside of workerd calls.

export { TestAccountsObject, TestLinkObject, TestRegistryObject }

interface Environment {
  readonly REGISTRY: ObjectNamespace<TestRegistryStub>
  readonly LINK: ObjectNamespace<TestLinkStub>
  readonly ACCOUNTS: ObjectNamespace<TestAccountsStub>
}

/** What a contract suite asks for. `world` is a registry of the test's own. */
export type PortQuestion =
  | { port: 'registry'; world: string; nowMs: number; method: keyof Registry; values: unknown[] }
  | { port: 'upkeep'; world: string; nowMs: number; method: keyof RegistryUpkeep; values: unknown[] }
  | { port: 'accounts'; world: string; nowMs: number; method: keyof Accounts; values: unknown[] }
  | { port: 'accounts-object'; world: string; method: 'alarmAt' | 'fireAlarm' }
  | { port: 'sql'; world: string; values: SqlStatement[] }
  | { port: 'object'; world: string; method: 'reports' | 'alarmAt' | 'fireAlarm' }
  | { port: 'bus'; method: 'publish' | 'requestCancel' | 'announce' | 'progress' | 'ping'; values: unknown[] }
  | { port: 'link'; method: 'putAway' | 'refuseWatches' | 'watchesAsked'; values: [boolean?] }
  | { port: 'watch'; values: [WorkspaceId, JobId] | [WorkspaceId] }
  | { port: 'calls'; values: Parameters<WorkerCalls['call']>; abortAfterMs: number | null }

/** The workspace whose object has the store, for what names none. */
const home = toWorkspaceId('here')

/** One for all requests, as in the product. */
let watchBus: JobBus | undefined

type AnyMethods = Record<string, (...values: unknown[]) => Promise<unknown>>

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const question = decode(await request.text()) as PortQuestion
    if (question.port === 'watch') {
      watchBus ??= createObjectJobBus(env.LINK)
      return watch(watchBus, question.values)
    }
    const log = { info: () => undefined, error: () => undefined }
    const answer: Answer<unknown> = await toAnswer(() => ask(question, env), log)
    return new Response(encode(answer))
  },
}

async function ask(question: Exclude<PortQuestion, { port: 'watch' }>, env: Environment): Promise<unknown> {
  if (question.port === 'bus') {
    const bus = createObjectJobBus(env.LINK) as unknown as AnyMethods
    return bus[question.method]?.(...question.values)
  }
  if (question.port === 'link') {
    const stub = linkOf(env.LINK) as TestLinkStub
    // Of an object that is put away no answer comes.
    if (question.method === 'putAway') return stub.putAway().catch(() => null)
    return question.method === 'watchesAsked' ? stub.watchesAsked() : stub.refuseWatches(question.values[0] === true)
  }
  if (question.port === 'calls') {
    const [family, envelope, timeoutMs] = question.values
    const signal = question.abortAfterMs === null ? undefined : AbortSignal.timeout(question.abortAfterMs)
    return createObjectWorkerCalls(env.LINK).call(family, envelope, timeoutMs, signal)
  }
  if (question.port === 'accounts' || question.port === 'accounts-object') return askAccounts(question, env)
  const objects: ObjectNamespace<TestRegistryStub> = {
    idFromName: (name) => env.REGISTRY.idFromName(`${question.world}/${name}`),
    get: (id) => env.REGISTRY.get(id),
  }
  const stubOf = (workspace: WorkspaceId) => objects.get(objects.idFromName(workspace))
  const store = stubOf(home)
  if (question.port === 'sql') return store.transact(question.values)
  if (question.port === 'object') return store[question.method]()
  if (question.port === 'upkeep') {
    await store.setTime(question.nowMs)
    const answer = await store.call(question.method, question.values as never)
    if (!answer.ok) throw new Error(`${question.method} failed`)
    return answer.value
  }
  const [workspace = home] = question.values as WorkspaceId[]
  await stubOf(workspace).setTime(question.nowMs)
  const registry = createObjectRegistry(objects, home) as unknown as AnyMethods
  return registry[question.method]?.(...question.values)
}

async function askAccounts(
  question: Extract<PortQuestion, { port: 'accounts' | 'accounts-object' }>,
  env: Environment,
): Promise<unknown> {
  const objects: ObjectNamespace<TestAccountsStub> = {
    idFromName: (name) => env.ACCOUNTS.idFromName(`${question.world}/${name}`),
    get: (id) => env.ACCOUNTS.get(id),
  }
  const stub = objects.get(objects.idFromName('accounts'))
  if (question.port === 'accounts-object') return stub[question.method]()
  await stub.setTime(question.nowMs)
  const accounts = createObjectAccounts(objects) as unknown as AnyMethods
  return accounts[question.method]?.(...question.values)
}

/** A line when the watch has begun, and one for each thing that is heard, until the reader goes away. */
function watch(bus: JobBus, [workspace, job]: [WorkspaceId, JobId?]): Response {
  let stop: () => void = () => undefined
  const lines = new ReadableStream<Uint8Array>({
    async start(controller) {
      const write = (line: unknown) => controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`))
      const tell = (news: unknown) => write({ news })
      stop = await (job === undefined ? bus.watchWorkspace(workspace, tell) : bus.watch(workspace, job, tell))
      write('watching')
    },
    cancel: () => stop(),
  })
  return new Response(lines, { headers: { 'content-type': 'text/event-stream' } })
}
