import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createLlamaModel, type LlamaModelOptions } from '#gpu-worker/adapters/node-llama-cpp.ts'
import { createOpenAiModel } from '#gpu-worker/adapters/openai-model.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { claimPort } from '#scripts/free-port.ts'
import { type ModelGroupWorld, startModelGroupWorld } from '#test/support/model-group-world.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { describeLanguageModel } from './language-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-models-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const states = { folder: join(folder, 'states'), bytesMax: 100_000_000 }
const createLlama = (reference: string, more: Partial<LlamaModelOptions> = {}) =>
  createLlamaModel({ reference, modelsFolder: folder, threads: 1, gpu: false, states, ...more })

let last: LanguageModel | undefined
describeLanguageModel('llama.cpp in a process of its own', {
  async create({ callsMax } = {}) {
    // One call runs, the others wait.
    last = createLlama('demo', callsMax === undefined ? {} : { slots: 1, queueMax: callsMax - 1 })
    return last
  },
  createBroken: async () => createLlama(join(folder, 'missing.gguf')),
  atWork: () => last?.info().queued ?? 0,
  countsOfCall: 1,
})

let inference: LanguageModel
let server: OpenAiServer
let group: ModelGroupWorld
beforeAll(async () => {
  group = await startModelGroupWorld()
  inference = createLlama('demo')
  await inference.countTokens('Load', AbortSignal.timeout(50_000))
  server = await startOpenAiServer({ model: inference })
})
afterAll(async () => {
  await served?.close()
  await group?.close()
  await server.close()
  await inference.close()
})

const address = (url: string) => ({ url, model: 'demo', keyVariable: null })
describeLanguageModel('an OpenAI-style server', {
  create: async (options = {}) =>
    createOpenAiModel({ name: 'demo', server: address(server.url), key: null, ...options }),
  createBroken: async () =>
    createOpenAiModel({
      name: 'demo',
      server: address(`http://127.0.0.1:${await claimPort(0)}/v1`),
      key: null,
      times: { retryDelays: [1, 1] },
    }),
  atWork: () => inference.info().queued + server.open,
  countsOfCall: 2,
})

// A new one for each: what a model still holds of the test before is not read again, and so not told of.
let served: LanguageModel | undefined
let worlds = 0
describeLanguageModel('a model worker of a NATS queue group', {
  async create({ callsMax } = {}) {
    await served?.close()
    served = createLlama('demo', callsMax === undefined ? {} : { slots: 1, queueMax: callsMax - 1 })
    const workspace = `w${++worlds}`
    await group.serve(workspace, served)
    return group.connect(workspace, 'demo')
  },
  createBroken: async () => group.connect('empty', 'demo'),
  atWork: () => (served?.info().queued ?? 0) + group.openCalls(),
  countsOfCall: 2,
})
