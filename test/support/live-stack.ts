import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Stack, startStack } from '#scripts/stack.ts'
import type { Backoff } from '#scripts/supervisor.ts'
import { type TinyModelOptions, writeTinyModel } from '#scripts/tiny-model.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { edgeOptions } from './edge-runtime.ts'
import { connectClient, type Fields, type TestClient, type ToolAnswer } from './mcp.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** The whole system on a repository of its own, with a real model. */
export interface LiveStack {
  readonly repository: TempRepository
  readonly stack: Stack
  readonly client: TestClient
  /** What the processes and their supervisor said. */
  readonly log: readonly string[]
  /** Creates agents, named after their files: `users.py` is managed by `users`. */
  own(...files: string[]): Promise<void>
  /** Gives a task and does not wait. Returns the job's id. */
  submit(agent: string, message: string, more?: Fields): Promise<string>
  /** Stops all processes and removes all files. */
  stop(): Promise<void>
}

export interface LiveStackOptions {
  readonly files?: Record<string, string>
  /** `demo`, a path, several of these; or the shape of a random model, whose answers run to the limit of their tokens. */
  readonly model: string | readonly string[] | TinyModelOptions
  /** Goes on with a repository, and with what an earlier stack left beside it. It is then the caller's to remove. */
  readonly repository?: TempRepository
  /** Of the worker; both where left out. */
  readonly roles?: readonly string[]
  /** Before a part that has died is started again. */
  readonly backoff?: Backoff
  /** Resolve as soon as the endpoint answers. */
  readonly modelMayBeMissing?: boolean
}

/** Random weights; an answer takes it four seconds and more, which is time to cancel it, or to kill it. */
export const SLOW_MODEL: TinyModelOptions = { layers: 8, hidden: 256, feedForward: 768 }

/** Random weights and a small context: its answers end soon. */
export const QUICK_MODEL: TinyModelOptions = { contextTokens: 1024 }

export const dataFolderOf = (repository: TempRepository): string => join(repository.folder, 'data')

/** Starts the stack and resolves when its model is ready. */
export async function startLiveStack(options: LiveStackOptions): Promise<LiveStack> {
  const repository = options.repository ?? (await createTempRepository(options.files))
  const model = await prepareModel(options.model, repository.folder)
  const log: string[] = []
  const stack = await startStack({
    repository: repository.root,
    dataFolder: dataFolderOf(repository),
    model,
    threads: 1,
    ...(options.roles === undefined ? {} : { roles: options.roles }),
    port: 0,
    ...edgeOptions(),
    log: (line) => log.push(line),
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
  })
  const client = await connectClient(stack.url, stack.token)
  if (options.modelMayBeMissing !== true) await modelIsReady(client)
  return {
    repository,
    stack,
    client,
    log,
    async own(...files) {
      for (const managed_file of files) {
        const agent_id = managed_file.replace(/\.\w+$/, '')
        const system_prompt = 'Generate data structures'
        await client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt })
      }
    },
    async submit(agent_id, message, more = {}) {
      const { job_id } = await client.ok('chat_with_agent', { agent_id, message, wait_seconds: 0, ...more })
      return String(job_id)
    },
    async stop() {
      await client.close().catch(() => undefined)
      await stack.stop()
      if (options.repository === undefined) repository.remove()
    },
  }
}

async function prepareModel(model: LiveStackOptions['model'], folder: string): Promise<string | readonly string[]> {
  if (typeof model === 'string' || isList(model)) return model
  const path = join(folder, 'random.gguf')
  await writeTinyModel(path, model)
  return path
}

const isList = (model: readonly string[] | TinyModelOptions): model is readonly string[] => Array.isArray(model)

interface ServerModel {
  readonly state: string
  readonly detail: string
  readonly queued: number
}

/** The first model, as get_server_info has it; undefined while no worker is connected. */
export async function modelInfo(client: TestClient): Promise<ServerModel | undefined> {
  const { workers } = await client.ok('get_server_info', {})
  return (workers as { models: ServerModel[] }[])[0]?.models[0]
}

export async function modelIsReady(client: TestClient): Promise<void> {
  await until(async () => (await modelInfo(client))?.state === 'ready')
}

/** Asks again and again, for what sends no signal that a test could wait for. Rejects after `timeoutMs`, or as `isSo` does. */
export async function until(isSo: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  for (const giveUpAt = performance.now() + timeoutMs; !(await isSo()); await setTimeout(10)) {
    if (performance.now() > giveUpAt) throw new Error(`Not so after ${timeoutMs} ms: ${isSo}`)
  }
}

export interface EndedJob {
  readonly state: string
  readonly result: Fields | null
  readonly error: ToolAnswer['error']
  readonly job: Fields & { readonly error: ToolAnswer['error'] }
}

/** Waits for the end of a job, however often the answer is "not yet". */
export async function jobEnd(client: TestClient, job_id: string): Promise<EndedJob> {
  for (;;) {
    const { state, result, job } = (await client.ok('get_job', { job_id, wait_seconds: 20 })) as unknown as EndedJob
    if (state !== 'queued' && state !== 'running') return { state, result, job, error: job.error }
  }
}

/** Waits until a job tells of one of these phases. Rejects when it ends first. */
export async function jobReaches(
  client: TestClient,
  job_id: string,
  ...phases: JobProgress['phase'][]
): Promise<JobProgress> {
  let reached: JobProgress | null = null
  await until(async () => {
    const { state, progress, job } = await client.ok('get_job', { job_id })
    if (state !== 'queued' && state !== 'running') {
      throw new Error(`Job ${job_id} is ${state} already: ${JSON.stringify(job)}`)
    }
    reached = progress as JobProgress | null
    return reached !== null && phases.includes(reached.phase)
  })
  if (reached === null) throw new Error(`Job ${job_id} told of no progress`)
  return reached
}
