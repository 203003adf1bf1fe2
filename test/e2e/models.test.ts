import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { processEnded } from '#scripts/test-support/process-ended.ts'
import { type LiveStack, modelIsReady, startLiveStack } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { modelProcessesOf } from '#test/support/processes.ts'

// Several models in one worker: the default one behind an OpenAI-style address, two more in processes of their own.

const PRODUCER = 'Create a User model with id, name, email'

describe('a worker with several models', { timeout: 60_000 }, () => {
  let inference: LanguageModel
  let server: OpenAiServer
  let live: LiveStack
  beforeAll(async () => {
    inference = createLlamaModel({ reference: 'demo', modelsFolder: '.', threads: 1, gpu: false })
    await inference.countTokens('Load', AbortSignal.timeout(50_000))
    server = await startOpenAiServer({ model: inference })
    live = await startLiveStack({ model: [`openai:${server.url}#demo`, 'one=demo', 'two=demo'] })
  })
  afterAll(async () => {
    await live?.stop()
    await server?.close()
    await inference?.close()
  })

  const create = (agent_id: string, model?: string) =>
    live.client.call('create_agent', {
      agent_id,
      name: agent_id,
      managed_file: `${agent_id}.py`,
      system_prompt: 'Generate data structures',
      ...(model === undefined ? {} : { model }),
    })
  const chat = async (agent_id: string) => {
    const { usage, changed } = await live.client.ok('chat_with_agent', { agent_id, message: PRODUCER })
    expect(changed).toBe(true)
    expect(live.repository.read(`${agent_id}.py`)).toContain('class User:')
    return usage as Fields
  }
  const workerInfo = async () => {
    const { workers } = await live.client.ok('get_server_info', {})
    const [worker] = workers as { models: Fields[]; memory: { model_bytes: number | null } }[]
    return worker
  }

  it('does a task through the server, which is the default', async () => {
    await modelIsReady(live.client)
    expect((await create('users')).success).toBe(true)
    const before = server.calls.length
    expect(await chat('users')).toMatchObject({ model: 'demo' })
    expect(server.calls.length).toBeGreaterThan(before)
    expect(await workerInfo()).toMatchObject({ memory: { model_bytes: null } })
  })

  it('does it through the model that the agent names, and shows each', async () => {
    expect((await create('people', 'one')).success).toBe(true)
    const before = server.calls.length
    expect(await chat('people')).toMatchObject({ model: 'one' })
    const alone = (await workerInfo())?.memory.model_bytes ?? 0
    await live.client.ok('update_agent', { agent_id: 'people', model: 'two' })
    live.repository.write('people.py', '')
    expect(await chat('people')).toMatchObject({ model: 'two' })
    expect(server.calls).toHaveLength(before)

    const worker = await workerInfo()
    expect(worker?.models).toMatchObject([
      { name: 'demo', state: 'ready', context_tokens: 2048, detail: expect.stringContaining('Ready at 127.0.0.1:') },
      { name: 'one', state: 'ready' },
      { name: 'two', state: 'ready' },
    ])
    expect(alone).toBeGreaterThan(10_000_000)
    expect(worker?.memory.model_bytes).toBeGreaterThan(alone * 1.5)
  })

  it('refuses an agent with a model that it does not have, and names those that it has', async () => {
    const refusal = { code: 'not_found', hint: expect.stringContaining('demo, one, two') }
    expect(await create('other', 'three')).toMatchObject({ success: false, error: refusal })
    expect(await live.client.call('update_agent', { agent_id: 'users', model: 'three' })).toMatchObject({
      success: false,
      error: refusal,
    })
    const { agent } = await live.client.ok('get_agent_info', { agent_id: 'users' })
    expect(agent).toMatchObject({ model: null })
  })

  it('does without the server when that is away, and says so', async () => {
    await server.close()
    const before = live.repository.read('users.py')
    expect(await live.client.call('chat_with_agent', { agent_id: 'users', message: PRODUCER })).toMatchObject({
      success: false,
      error: { code: 'model_unavailable', message: expect.stringContaining('cannot be reached (ECONNREFUSED)') },
    })
    expect(live.repository.read('users.py')).toBe(before)
    expect((await workerInfo())?.models[0]).toMatchObject({ name: 'demo', state: 'failed' })
    live.repository.write('people.py', '')
    expect(await chat('people')).toMatchObject({ model: 'two' })
  })

  it('ends the processes of all of them', async () => {
    const worker = live.stack.pids().worker ?? 0
    const processes = modelProcessesOf(worker)
    expect(processes).toHaveLength(2)
    await live.stack.stop()
    await Promise.all([worker, ...processes].map(processEnded))
  })
})
