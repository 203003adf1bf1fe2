import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { WorkerInfo } from '#shared/schemas/worker.ts'
import { type MeasuredClient, Refusal } from './measured-client.ts'

const ServerInfo = v.looseObject({ version: v.string(), workers: v.array(WorkerInfo) })
export type ServerInfo = v.InferOutput<typeof ServerInfo>

/** What the server says of itself. A look of the run's own: it does not count as an answer to a user. */
export async function readServerInfo(client: MeasuredClient): Promise<ServerInfo> {
  return v.parse(ServerInfo, await client.ok('get_server_info', {}, { isLoad: true }))
}

/** The model of a run: whether it can answer at all, and whether it can do what an agent is for. */
export interface RunModel {
  readonly name: string
  /** As the server describes it. */
  readonly detail: string
  /** Why it answers nothing; null where it does. */
  readonly unavailable: string | null
  /** What it did when it was asked for a small file, where that was not one; null where it was. */
  readonly unable: string | null
}

const LOOK_MS = 250
/** For a model that only loads. One that is being downloaded has as long as bytes come. */
const LOADING_MS_MAX = 5 * 60_000

/**
 * Waits for the first model of the worker, then asks it for a class with three fields: whether it is able is what comes of
 * that, never its name.
 */
export async function probeModel(client: MeasuredClient, signal: AbortSignal): Promise<RunModel> {
  const { name, detail, state } = await settle(client, signal)
  if (state !== 'ready') {
    const unavailable = `the model is not ready: ${detail}`
    return { name, detail, unavailable, unable: unavailable }
  }
  return { name, detail, unavailable: null, unable: await tryTask(client) }
}

type Model = WorkerInfo['models'][number]

async function settle(client: MeasuredClient, signal: AbortSignal): Promise<Model> {
  let bytes = -1
  for (let giveUpAt = performance.now() + LOADING_MS_MAX; ; ) {
    const model = (await readServerInfo(client)).workers[0]?.models[0]
    if (model?.state === 'ready' || model?.state === 'failed') return model
    if (model?.download != null && model.download.bytes > bytes) {
      bytes = model.download.bytes
      giveUpAt = performance.now() + LOADING_MS_MAX
    }
    if (performance.now() > giveUpAt) {
      throw new Error(
        `The model is not ready after ${LOADING_MS_MAX / 60_000} minutes: ${model?.detail ?? 'no worker is connected'}`,
      )
    }
    await setTimeout(LOOK_MS, undefined, { signal })
  }
}

const PROBE = { agent_id: 'probe', managed_file: 'probe.py', message: 'Create a Product model with id, name, price' }

async function tryTask(client: MeasuredClient): Promise<string | null> {
  const { agent_id, managed_file, message } = PROBE
  await client.ok('create_agent', { agent_id, name: 'Probe', managed_file, system_prompt: 'Generate data structures' })
  try {
    await client.job('chat_with_agent', { agent_id, message })
    const { content } = await client.ok('get_agent_file', { agent_id })
    if (/^class Product\b/m.test(String(content))) return null
    return `the model is not able: asked "${message}" it wrote a file without "class Product"`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return `the model is not able: asked "${message}" it brought no file (${error.code}: ${error.message.slice(0, 200)})`
  } finally {
    await client.call('delete_agent', { agent_id })
    await client.call('delete_file', { path: managed_file })
  }
}
