import { join } from 'node:path'
import { type Stack, startStack } from '#scripts/stack.ts'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { edgeOptions } from './edge-runtime.ts'
import { connectClient, type TestClient } from './mcp.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** The whole system on a repository of its own: NATS, the functions, a worker, and a client. */
export interface TestStack {
  readonly repository: TempRepository
  readonly client: TestClient
  /** Current after `restart` too. */
  stack(): Stack
  /** Ends all of it and starts it again on the same data folder; connects `client` anew. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface TestStackOptions {
  readonly files?: Record<string, string>
  /** The random one cannot do anything, but starts a little sooner; the demo model follows the prompts of its README. */
  readonly model?: 'tiny' | 'demo'
}

/** Starts it with one inference thread on free ports. `stop` removes everything. */
export async function startTestStack({ files, model = 'tiny' }: TestStackOptions = {}): Promise<TestStack> {
  const repository = await createTempRepository(files)
  const modelFile = join(repository.folder, 'tiny.gguf')
  if (model === 'tiny') await writeTinyModel(modelFile)
  const start = () =>
    startStack({
      repository: repository.root,
      dataFolder: join(repository.folder, 'data'),
      model: model === 'tiny' ? modelFile : model,
      threads: 1,
      port: 0,
      ...edgeOptions(),
      log: () => undefined,
    })
  let stack = await start()
  let connected = await connectClient(stack.url, stack.token)
  const client: TestClient = {
    get client() {
      return connected.client
    },
    call: (...args) => connected.call(...args),
    ok: (...args) => connected.ok(...args),
    close: () => connected.close(),
  }
  const end = async (): Promise<void> => {
    await connected.close().catch(() => undefined)
    await stack.stop()
  }
  return {
    repository,
    client,
    stack: () => stack,
    async restart() {
      await end()
      stack = await start()
      connected = await connectClient(stack.url, stack.token)
    },
    async stop() {
      await end()
      repository.remove()
    },
  }
}
