import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { toWorkspaceId } from '#shared/ids.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { type EdgeRuntime, type Stack, startStack } from '../stack.ts'
import { createKeepAliveClient } from './keep-alive-client.ts'
import { seedAgents } from './seed-agents.ts'
import { createToolCalls } from './tool-calls.ts'

/** A whole stack on a repository of its own, with the embedded model: what a user runs. */
export interface BenchStack {
  readonly stack: Stack
  readonly repository: TempRepository
  /** With the edge's credentials. */
  edgeNatsUrl(): string
  /** The same for the WebSocket listener, which is there for an edge in another runtime than Node. */
  edgeNatsWebSocketUrl(): string
  /** Ends it and removes its folders. */
  stop(): Promise<void>
}

/** The file that is read: 128 lines of 32 bytes, 4 kB as in a small source file. */
export const SAMPLE_PATH = 'src/sample.py'
const sampleText = Array.from(
  { length: 128 },
  (_, line) => `value_${String(line).padStart(3, '0')} = "bench sample text"\n`,
).join('')

const MODEL_READY_MS = 60_000

/** Starts a stack with `agents` agents registered; resolves when its model has been loaded and disturbs nobody. */
export async function startBenchStack(options: {
  agents?: number
  /** A model file instead of the embedded model. */
  model?: string
  /** In which runtime the functions run; Node's where left out. */
  edge?: EdgeRuntime
  signal: AbortSignal
}): Promise<BenchStack> {
  const repository = await createTempRepository({ 'README.md': '# Sample\n', [SAMPLE_PATH]: sampleText })
  try {
    const dataFolder = join(repository.folder, 'data')
    const { agents = 0, model, edge, signal } = options
    if (agents > 0) {
      await seedAgents(join(dataFolder, 'edge', 'registry.sqlite'), toWorkspaceId(basename(repository.root)), agents)
    }
    const stack = await startOn(repository, signal, model, edge)
    try {
      await waitForModel(stack, signal)
    } catch (error) {
      await stack.stop()
      throw error
    }
    return {
      stack,
      repository,
      edgeNatsUrl: () => readEdgeNatsUrl(join(stack.dataFolder, 'nats'), 'nats'),
      edgeNatsWebSocketUrl: () => readEdgeNatsUrl(join(stack.dataFolder, 'nats'), 'websocket'),
      async stop() {
        await stack.stop()
        repository.remove()
      },
    }
  } catch (error) {
    repository.remove()
    throw error
  }
}

/** Starts the stack of a repository, again where it has run before; resolves when its endpoint answers. */
export function startOn(
  repository: TempRepository,
  signal: AbortSignal,
  model = 'demo',
  edge?: EdgeRuntime,
): Promise<Stack> {
  return startStack({
    repository: repository.root,
    dataFolder: join(repository.folder, 'data'),
    model,
    threads: 1,
    port: 0,
    ...(edge === undefined ? {} : { edge }),
    log: () => undefined,
    signal,
  })
}

const ServerInfo = v.object({ workers: v.array(v.object({ models: v.array(v.object({ state: v.string() })) })) })

async function waitForModel(stack: Stack, signal: AbortSignal): Promise<void> {
  const client = createKeepAliveClient(1)
  const tools = createToolCalls(client, stack)
  try {
    const giveUpAt = performance.now() + MODEL_READY_MS
    for (;;) {
      const { workers } = v.parse(ServerInfo, await tools.call('get_server_info', {}))
      const state = workers[0]?.models[0]?.state
      if (state === 'ready') return
      if (state === 'failed' || performance.now() > giveUpAt) throw new Error(`The model is not ready: ${state}`)
      await setTimeout(100, undefined, { signal })
    }
  } finally {
    client.close()
  }
}

const Passwords = v.pipe(v.string(), v.parseJson(), v.object({ edge: v.string() }))
const Urls = v.tuple([v.pipe(v.string(), v.url())])
const Ports = v.pipe(v.string(), v.parseJson(), v.object({ nats: Urls, websocket: v.optional(Urls) }))

/** From what the server's start left in its folder. */
function readEdgeNatsUrl(folder: string, listener: 'nats' | 'websocket'): string {
  const ports = readdirSync(folder).find((name) => name.endsWith('.ports'))
  if (ports === undefined) throw new Error('Cannot find NATS: it has written no ports file')
  const [url] = v.parse(Ports, readFileSync(join(folder, ports), 'utf8'))[listener] ?? []
  if (url === undefined) throw new Error(`NATS has no listener "${listener}"`)
  const { edge } = v.parse(Passwords, readFileSync(join(folder, 'passwords.json'), 'utf8'))
  const { protocol, host } = new URL(url)
  return `${protocol}//edge:${encodeURIComponent(edge)}@${host}`
}
