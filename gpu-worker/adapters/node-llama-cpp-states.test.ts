import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import type { ModelSupervisor } from '../inference/model-supervisor.ts'
import { createLlamaModel } from './node-llama-cpp.ts'

let folder: string
let tiny: string
let statesFolder: string
const open: ModelSupervisor[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-states-'))
  tiny = join(folder, 'tiny.gguf')
  await writeTinyModel(tiny)
})
beforeEach(() => {
  statesFolder = join(folder, `states-${open.length}-${randomBytes(4).toString('hex')}`)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function create(slots: number, bytesMax = 100_000_000): ModelSupervisor {
  const states = { folder: statesFolder, bytesMax }
  const model = createLlamaModel({ reference: tiny, modelsFolder: folder, threads: 1, gpu: false, slots, states })
  open.push(model)
  return model
}

const PROMPT_TOKENS = 600
/** In the tiny vocabulary a letter is a token. What differs comes first. */
const promptOf = (agent: string): string => `${agent} `.padEnd(PROMPT_TOKENS, `${agent}qz`)

async function call(model: ModelSupervisor, agent: string, answerTokensMax = 4, prompt = promptOf(agent)) {
  const { text, usage } = await model.generate(
    { turns: [{ role: 'user', text: prompt }], answerTokensMax, temperature: 0, cacheKey: agent },
    { signal: AbortSignal.timeout(25_000) },
  )
  return { text, evaluated: usage.prompt_tokens - usage.cached_prompt_tokens }
}

/** All files below the folder, as absolute paths. */
async function listFiles(): Promise<string[]> {
  const entries = await readdir(statesFolder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Waits for the state files to be these many: they are checked, and written ahead, while nobody waits for them. */
async function statesAre(count: number): Promise<string[]> {
  await expect
    .poll(async () => (await listFiles()).map((path) => path.slice(-6)), { timeout: 10_000 })
    .toEqual(Array.from({ length: count }, () => '.state'))
  return listFiles()
}

describe('more agents than slots', () => {
  it('come back to their prompts, and get the same tokens as in a slot that they kept', async () => {
    const model = create(1)
    await call(model, 'a')
    const kept = await call(model, 'a', 200)
    expect(kept.evaluated).toBe(1)
    expect((await call(model, 'b')).evaluated).toBeGreaterThan(PROMPT_TOKENS - 20)
    const back = await call(model, 'a', 200)
    expect(back).toEqual(kept)
    expect((await call(model, 'b')).evaluated).toBe(1)
    expect((await call(model, 'a', 200)).text).toBe(kept.text)
  })

  it('go on with a second turn after another agent had their slot', async () => {
    const [staying, leaving] = [create(1), create(1)]
    const turns = (text: string) => [
      { role: 'user' as const, text: promptOf('a') },
      { role: 'assistant' as const, text },
      { role: 'user' as const, text: 'Go on' },
    ]
    const secondTurn = async (model: ModelSupervisor, text: string) =>
      model.generate(
        { turns: turns(text), answerTokensMax: 60, temperature: 0, cacheKey: 'a' },
        { signal: AbortSignal.timeout(25_000) },
      )
    const first = await call(staying, 'a', 40)
    await call(leaving, 'a', 40)
    await call(leaving, 'b')
    const [stayed, left] = [await secondTurn(staying, first.text), await secondTurn(leaving, first.text)]
    expect(left.usage.cached_prompt_tokens).toBe(stayed.usage.cached_prompt_tokens)
    expect(left.usage.cached_prompt_tokens).toBeGreaterThan(PROMPT_TOKENS)
  })

  it('get the same tokens when several change slots at once', async () => {
    const agents = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const model = create(3)
    const expected = new Map<string, string>()
    for (const agent of agents) {
      await call(model, agent)
      expected.set(agent, (await call(model, agent, 60)).text)
    }
    for (const order of [agents, agents.toReversed(), agents]) {
      const answers = await Promise.all(order.map(async (agent) => ({ agent, ...(await call(model, agent, 60)) })))
      for (const { agent, text, evaluated } of answers) {
        expect({ agent, text, evaluated }).toEqual({ agent, text: expected.get(agent), evaluated: 1 })
      }
    }
  })

  it('write nothing for prompts that are evaluated as soon as read', async () => {
    const model = create(1)
    for (const agent of ['a', 'b', 'a', 'b']) await call(model, agent, 4, `${agent}`.repeat(200))
    expect(await listFiles()).toEqual([])
  })

  it('write nothing twice, and one file of each agent', async () => {
    const model = create(1)
    for (const agent of ['a', 'b', 'a', 'b', 'a']) await call(model, agent)
    const before = await Promise.all((await statesAre(2)).map(async (path) => [path, (await stat(path)).mtimeMs]))
    for (const agent of ['b', 'a', 'b', 'a']) await call(model, agent)
    expect(await Promise.all((await statesAre(2)).map(async (path) => [path, (await stat(path)).mtimeMs]))).toEqual(
      before,
    )
    await call(model, 'a', 4, promptOf('x'))
    await call(model, 'b')
    expect((await call(model, 'a', 4, promptOf('x'))).evaluated).toBe(1)
    await statesAre(2)
  })

  it('find their prompts written already when nobody has called for a while', async () => {
    const model = create(2)
    for (const agent of ['a', 'b', 'c']) await call(model, agent)
    // That of a when it gave way, the others since.
    const files = await statesAre(3)
    await call(model, 'd')
    expect((await listFiles()).toSorted()).toEqual(files.toSorted())
    expect((await call(model, 'b')).evaluated).toBe(1)
  })

  it('write nothing ahead while there are slots for all', async () => {
    const model = create(2)
    for (const agent of ['a', 'b', 'a', 'b']) await call(model, agent)
    await setTimeout(1200)
    expect(await listFiles()).toEqual([])
  })

  it('keep to the budget, the oldest leaving first', async () => {
    const model = create(1)
    for (const agent of ['a', 'b']) await call(model, agent)
    const [path = ''] = await statesAre(1)
    const { size } = await stat(path)
    const small = create(1, Math.round(size * 2.5))
    statesFolder = join(statesFolder, 'none')
    for (const agent of ['a', 'b', 'c', 'd']) await call(small, agent)
    expect((await call(small, 'a')).evaluated).toBeGreaterThan(PROMPT_TOKENS - 20)
    expect((await call(small, 'd')).evaluated).toBe(1)
  })
})

/**
 * That agent a is evaluated again, and that its slot and its state are sound then. The text may differ from that of before:
 * how a prompt is cut into pieces is a rounding error.
 */
async function evaluatesAgain(model: ModelSupervisor): Promise<void> {
  expect((await call(model, 'a')).evaluated).toBeGreaterThan(PROMPT_TOKENS - 20)
  const kept = await call(model, 'a', 40)
  expect(kept.evaluated).toBe(1)
  await call(model, 'b')
  expect(await call(model, 'a', 40)).toEqual(kept)
}

describe('a state file', () => {
  /** Leaves the state of agent a in a file, and agent b in the only slot. */
  async function prepare() {
    const model = create(1)
    await call(model, 'a')
    const { text } = await call(model, 'a', 40)
    await call(model, 'b')
    const [path = ''] = await statesAre(1)
    return { model, path, text }
  }

  it('is private, named by what it holds, and gone with the process', async () => {
    const { model, path } = await prepare()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700)
    expect((await stat(statesFolder)).mode & 0o777).toBe(0o700)
    expect(path).toMatch(/\/[0-9a-f]{64}\.state$/)
    await model.close()
    expect(await readdir(statesFolder)).toEqual([])
  })

  it('goes with a process that was killed, half written or whole, and the next one begins anew', async () => {
    const { model, path } = await prepare()
    await writeFile(`${path}.part`, 'half')
    process.kill(model.processId() ?? 0, 'SIGKILL')
    await expect.poll(async () => (await readdir(statesFolder)).length, { timeout: 15_000 }).toBe(0)
    await evaluatesAgain(model)
    await statesAre(2)
  })

  it.each([
    [
      'has a changed byte',
      async (path: string) => {
        const bytes = await readFile(path)
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
        await writeFile(path, bytes)
      },
    ],
    ['is cut', (path: string) => truncate(path, 5000)],
    ['is empty', (path: string) => truncate(path, 0)],
    ['is missing', (path: string) => rm(path)],
    ['is another file', async (path: string) => writeFile(path, randomBytes((await stat(path)).size))],
  ])('that %s means evaluating again, and is deleted', async (_name, spoil) => {
    const { model, path } = await prepare()
    await spoil(path)
    expect((await call(model, 'a')).evaluated).toBeGreaterThan(PROMPT_TOKENS - 20)
    // That of b took its place.
    expect(await statesAre(1)).not.toEqual([path])
    expect((await call(model, 'b')).evaluated).toBe(1)
    expect((await call(model, 'a')).evaluated).toBe(1)
  })

  it('that cannot be written means evaluating again', async () => {
    const model = create(1)
    await call(model, 'a')
    const [child = ''] = await readdir(statesFolder)
    await rm(join(statesFolder, child), { recursive: true })
    await call(model, 'b')
    expect((await call(model, 'a')).evaluated).toBeGreaterThan(PROMPT_TOKENS - 20)
    expect((await call(model, 'a')).evaluated).toBe(1)
    expect(model.info().state).toBe('ready')
  })

  it('is not used where there may be none', async () => {
    const model = create(1, 0)
    for (const agent of ['a', 'b', 'a']) await call(model, agent)
    expect(await readdir(statesFolder).catch(() => 'no folder')).toBe('no folder')
  })

  it('may be read for a call that is cancelled meanwhile', async () => {
    const { model, text } = await prepare()
    for (let round = 0; round < 20; round++) {
      const abort = new AbortController()
      const cancelled = model.generate(
        { turns: [{ role: 'user', text: promptOf('a') }], answerTokensMax: 40, temperature: 0, cacheKey: 'a' },
        { signal: abort.signal },
      )
      globalThis.setTimeout(() => abort.abort(), round % 10)
      await cancelled.catch((error) => expect(error).toMatchObject({ code: 'cancelled' }))
      await call(model, 'b')
    }
    expect((await call(model, 'a', 40)).text).toBe(text)
    expect(model.info().queued).toBe(0)
  })
})
