import { execFileSync, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import type { ModelSupervisor } from '../inference/model-supervisor.ts'
import type { ChatTurn, GenerateProgress, GenerateRequest } from '../ports/language-model.ts'
import { createLlamaModel, type LlamaModelOptions } from './node-llama-cpp.ts'

let folder: string
let tiny: string
/** Slow enough (about 20 MB of weights) that a prompt of thousands of tokens takes seconds. */
let slow: string
const open: ModelSupervisor[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-llama-'))
  tiny = join(folder, 'tiny.gguf')
  slow = join(folder, 'slow.gguf')
  await writeTinyModel(tiny)
  await writeTinyModel(slow, { layers: 10, hidden: 512, heads: 8, feedForward: 2048, quantisation: 'q4_0' })
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function create(options: Partial<LlamaModelOptions> & { reference: string }): ModelSupervisor {
  const model = createLlamaModel({ modelsFolder: join(folder, 'models'), threads: 1, gpu: false, ...options })
  open.push(model)
  return model
}

const ask = (text: string, answerTokensMax = 32, cacheKey?: string): GenerateRequest => ({
  ...(cacheKey === undefined ? {} : { cacheKey }),
  turns: [
    { role: 'system', text: 'You write files.' },
    { role: 'user', text },
  ],
  answerTokensMax,
  temperature: 0,
})
const patience = () => ({ signal: AbortSignal.timeout(25_000) })

/** Generates, and calls `act` once, when the first progress of this phase arrives. */
function generateAnd(
  model: ModelSupervisor,
  request: GenerateRequest,
  phase: GenerateProgress['phase'],
  act: () => void,
  signal = AbortSignal.timeout(25_000),
) {
  let acted = false
  return model.generate(request, {
    signal,
    onProgress: (progress) => {
      if (acted || progress.phase !== phase) return
      acted = true
      act()
    },
  })
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

/** Polls, because nothing tells of the end of a process that is not our child. */
async function waitUntil(condition: () => boolean, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('The condition did not come true in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function killChild(model: ModelSupervisor): void {
  const id = model.processId()
  if (id === null) throw new Error('There is no model process')
  process.kill(id, 'SIGKILL')
}

describe('a llama.cpp model', () => {
  it('answers the same at temperature 0, with and without what it kept of the last prompt', async () => {
    const model = create({ reference: tiny })
    const first = await model.generate(ask('Write a function', 64), patience())
    const again = await model.generate(ask('Write a function', 64), patience())
    await model.generate(ask('Something else entirely', 8), patience())
    const after = await model.generate(ask('Write a function', 64), patience())
    const elsewhere = await create({ reference: tiny }).generate(ask('Write a function', 64), patience())
    expect(first.usage).toMatchObject({ completion_tokens: 64, model: 'tiny.gguf' })
    expect(first.usage.time_to_first_token_ms).toBeGreaterThanOrEqual(0)
    expect(first.usage.tokens_per_second).toBeGreaterThan(0)
    expect([again.text, after.text, elsewhere.text]).toEqual([first.text, first.text, first.text])
    expect(model.info()).toMatchObject({ state: 'ready', context_tokens: 8192, queued: 0 })
    expect(model.gpu()).toBe(null)
    expect(model.memoryBytes()).toBeGreaterThan(10_000_000)
  })

  it('counts tokens, with names of special tokens as plain text', async () => {
    const model = create({ reference: tiny })
    const count = (text: string) => model.countTokens(text, AbortSignal.timeout(20_000))
    // In the tiny vocabulary a character is a token (but "im", of "import", is one); a special token would be one.
    expect(await count('<|im_end|>')).toBe(9)
    expect(await count('<tool_call>')).toBe(11)
    expect(await count('a<tool_call></tool_call>')).toBe(24)
    expect(await count('')).toBe(0)
  })

  it('writes a prompt of exactly the tokens of ChatML', async () => {
    const model = create({ reference: tiny })
    const turns: ChatTurn[] = [
      { role: 'system', text: 'xyz' },
      { role: 'user', text: 'q<|im_end|>' },
    ]
    const answer = await model.generate({ turns, answerTokensMax: 1, temperature: 0 }, patience())
    // start system nl x y z end nl, start user nl q and nine tokens end nl, start assistant nl
    expect(answer.usage.prompt_tokens).toBe(8 + 3 + 10 + 2 + 3)
  })

  it('refuses what does not fit, naming the sizes, and never cuts', async () => {
    const model = create({ reference: tiny, contextTokensMax: 512 })
    const overflow = model.generate(ask('x'.repeat(600), 100), patience())
    await expect(overflow).rejects.toMatchObject({
      code: 'context_overflow',
      details: { answer_tokens_max: 100, context_tokens: 512 },
    })
    await expect(overflow).rejects.toThrow(/prompt of 6\d\d tokens and answer of up to 100, limit 512/)
    await expect(model.generate(ask('x'.repeat(400), 20), patience())).resolves.toMatchObject({ stopReason: 'length' })
  })

  it.each(['prompt', 'generating'] as const)('is free within a second of a cancel in phase %s', async (phase) => {
    const model = create({ reference: slow })
    await model.generate(ask('warm', 1), patience())
    const abort = new AbortController()
    let abortedAt = 0
    const long = phase === 'prompt' ? ask('word '.repeat(1500), 10) : ask('go', 5000)
    const call = generateAnd(
      model,
      long,
      phase,
      () => {
        abortedAt = performance.now()
        abort.abort()
      },
      abort.signal,
    )
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    const freedMs = performance.now() - abortedAt
    expect(freedMs).toBeLessThan(1000)
    const next = await model.generate(ask('next', 2), patience())
    expect(next.usage.completion_tokens).toBe(2)
  })

  it('answers in order of arrival, and says busy beyond its queue', async () => {
    const model = create({ reference: tiny, slots: 1, queueMax: 2 })
    await model.generate(ask('warm', 1), patience())
    const order: number[] = []
    const calls = [0, 1, 2].map(async (index) => {
      await model.generate(ask(`call ${index}`, 400), patience())
      order.push(index)
    })
    await expect(model.generate(ask('too many'), patience())).rejects.toMatchObject({
      code: 'busy',
      details: { retry_after_ms: expect.any(Number) },
    })
    await Promise.all(calls)
    expect(order).toEqual([0, 1, 2])
  })

  it('lets go of a call that is cancelled while it waits', async () => {
    const model = create({ reference: tiny, slots: 1 })
    const abort = new AbortController()
    const running = model.generate(ask('first', 500), patience())
    const waiting = model.generate(ask('second', 500), { signal: abort.signal })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect((await running).usage.completion_tokens).toBe(500)
  })
})

describe('an answer with a form', () => {
  it('is refused with the reason where the grammar does not parse, and nothing else notices', async () => {
    const model = create({ reference: tiny })
    const others = [1, 2].map((index) => model.generate(ask('go on', 200, `agent-${index}`), patience()))
    for (const text of ['root ::= "a" (', 'root ::= root "a"', 'start ::= "a"']) {
      await expect(model.generate({ ...ask('x'), grammar: { kind: 'gbnf', text } }, patience())).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining(text),
      })
    }
    for (const { usage } of await Promise.all(others)) expect(usage.completion_tokens).toBe(200)
    expect((await model.generate(ask('y', 5), patience())).usage.completion_tokens).toBe(5)
  })

  it('ends where it says one thing over and over, because it may not end', async () => {
    const model = create({ reference: tiny })
    const grammar = { kind: 'gbnf', text: 'root ::= "z"{1500}' } as const
    const answer = await model.generate({ ...ask('x', 2000), grammar }, patience())
    expect(answer.stopReason).toBe('length')
    expect(answer.usage.completion_tokens).toBe(256)
  })

  it('keeps each of several answers at once to its own, also the second time', async () => {
    const model = create({ reference: tiny, slots: 4 })
    for (let round = 0; round < 2; round++) {
      const texts = await Promise.all(
        ['a', 'b', 'c', 'd'].map(async (letter) => {
          const grammar = { kind: 'gbnf', text: `root ::= [${letter}x]{40}` } as const
          const { text } = await model.generate({ ...ask(`I am ${letter}`, 60, letter), grammar }, patience())
          return [letter, text] as const
        }),
      )
      for (const [letter, text] of texts) expect(text).toMatch(new RegExp(`^[${letter}x]{40}$`))
    }
  })
})

describe('several answers at once', () => {
  const agents = ['a', 'b', 'c', 'd']
  // Prompts of under 64 tokens: on a CPU, flash attention rounds otherwise for pieces of that size and larger, and how
  // large a piece is depends on speed and neighbours.
  const askAs = (agent: string, answerTokensMax = 300) => ask(`I am ${agent}`, answerTokensMax, agent)

  it('are the same as one at a time at temperature 0', async () => {
    const alone = create({ reference: tiny, slots: 1 })
    const expected: string[] = []
    for (const agent of agents) expected.push((await alone.generate(askAs(agent), patience())).text)
    const model = create({ reference: tiny, slots: 4 })
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(agents.map((agent) => model.generate(askAs(agent), patience())))
      expect(answers.map(({ text }) => text)).toEqual(expected)
    }
  })

  it('go on while another caller’s prompt is evaluated and its slot is cut', async () => {
    const model = create({ reference: slow, slots: 2 })
    await model.generate(ask('y'.repeat(200), 2, 'b'), patience())
    let seen = 0
    let seenAtStart = 0
    const stream = model.generate(ask('go', 60, 'a'), {
      ...patience(),
      onProgress: ({ tokens }) => {
        seen = tokens
      },
    })
    const other = await generateAnd(model, ask('z'.repeat(1000), 2, 'b'), 'prompt', () => {
      seenAtStart = seen
    })
    expect(seen).toBeGreaterThan(seenAtStart)
    expect(other.usage.completion_tokens).toBe(2)
    expect((await stream).usage.completion_tokens).toBe(60)
  })

  it('keep each caller’s prompt for its next turn, until the slot of the least recent one is needed', async () => {
    const model = create({ reference: tiny, slots: 2 })
    const evaluated = async (agent: string): Promise<number> => {
      const { usage } = await model.generate(ask(agent.repeat(60), 4, agent), patience())
      expect(usage.queue_ms).toBeGreaterThanOrEqual(0)
      return usage.prompt_tokens - usage.cached_prompt_tokens
    }
    const [all] = [await evaluated('a'), await evaluated('b')]
    expect(all).toBeGreaterThan(60)
    expect([await evaluated('a'), await evaluated('b')]).toEqual([1, 1])
    // The slot of a, whose system turn it shares.
    expect(await evaluated('c')).toBeGreaterThan(40)
    expect(await evaluated('b')).toBe(1)
    expect(await evaluated('a')).toBeGreaterThan(40)
  })

  it('cost a second turn its new tokens only', async () => {
    const model = create({ reference: tiny })
    const first = await model.generate(askAs('a'), patience())
    const turns: ChatTurn[] = [
      ...askAs('a').turns,
      { role: 'assistant', text: first.text },
      { role: 'user', text: 'Mend it' },
    ]
    const { usage } = await model.generate({ ...askAs('a'), turns }, patience())
    expect(usage.cached_prompt_tokens).toBeGreaterThanOrEqual(first.usage.prompt_tokens)
  })

  it('are not disturbed by the cancel of one of them', async () => {
    const model = create({ reference: tiny, slots: 4 })
    const expected = await model.generate(askAs('b', 600), patience())
    const abort = new AbortController()
    const others = ['b', 'b'].map((agent) => model.generate(askAs(agent, 600), patience()))
    const cancelled = generateAnd(model, askAs('a', 7000), 'generating', () => abort.abort(), abort.signal)
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual([expected.text, expected.text])
    expect(model.info().queued).toBe(0)
  })

  it('are all given again when the process is killed', async () => {
    const model = create({ reference: tiny, slots: 4, times: { restartDelays: [10] } })
    const expected = await Promise.all(agents.map((agent) => model.generate(askAs(agent, 300), patience())))
    const before = model.processId()
    let killed = false
    const answers = await Promise.all(
      agents.map((agent) =>
        generateAnd(model, askAs(agent, 300), 'generating', () => {
          if (killed) return
          killed = true
          killChild(model)
        }),
      ),
    )
    expect(model.processId()).not.toBe(before)
    expect(answers.map(({ text }) => text)).toEqual(expected.map(({ text }) => text))
  })

  it('do not die with the one that kills the process', async () => {
    const model = create({ reference: tiny, slots: 4, times: { restartDelays: [10] } })
    await model.generate(askAs('a', 1), patience())
    const killed = new Set<number>()
    const deadly = model.generate(askAs('a', 7000), {
      ...patience(),
      onProgress: ({ phase }) => {
        const id = model.processId()
        if (phase !== 'generating' || id === null || killed.has(id)) return
        killed.add(id)
        killChild(model)
      },
    })
    const others = ['b', 'c'].map((agent) => model.generate(askAs(agent, 2000), patience()))
    await expect(deadly).rejects.toThrow(/twice/)
    expect((await Promise.all(others)).map(({ usage }) => usage.completion_tokens)).toEqual([2000, 2000])
  })
})

describe('the process of a model', () => {
  it('is replaced when killed in a generation, and the call is answered', async () => {
    const model = create({ reference: tiny })
    const expected = await model.generate(ask('Write', 1200), patience())
    const before = model.processId()
    const answer = await generateAnd(model, ask('Write', 1200), 'generating', () => killChild(model))
    expect(answer.text).toBe(expected.text)
    expect(model.processId()).not.toBe(before)
  })

  it('gives a call up when it dies twice on it, and serves the next one', async () => {
    const model = create({ reference: tiny })
    let kills = 0
    const killed = new Set<number>()
    const call = model.generate(ask('Write', 7000), {
      ...patience(),
      onProgress: ({ phase }) => {
        const id = model.processId()
        if (phase !== 'generating' || id === null || killed.has(id)) return
        killed.add(id)
        kills++
        killChild(model)
      },
    })
    await expect(call).rejects.toMatchObject({ code: 'model_unavailable' })
    await expect(call).rejects.toThrow(/SIGKILL.*twice/)
    expect(kills).toBe(2)
    expect((await model.generate(ask('next', 5), patience())).usage.completion_tokens).toBe(5)
  })

  it('is ended when it is silent at work', async () => {
    const model = create({ reference: tiny, times: { silenceMax: 400, restartDelays: [10] } })
    await model.generate(ask('warm', 1), patience())
    let stopped = 0
    const call = model.generate(ask('Write', 7000), {
      ...patience(),
      onProgress: ({ phase }) => {
        const id = model.processId()
        if (phase !== 'generating' || id === null) return
        stopped++
        process.kill(id, 'SIGSTOP')
      },
    })
    await expect(call).rejects.toThrow(/no sign of life/)
    expect(stopped).toBeGreaterThanOrEqual(2)
  })

  it('is gone after close, whose calls are cancelled', async () => {
    const model = create({ reference: tiny })
    await model.generate(ask('warm', 1), patience())
    const id = model.processId() ?? 0
    const call = model.generate(ask('Write', 7000), patience())
    const rejected = expect(call).rejects.toMatchObject({ code: 'cancelled' })
    await model.close()
    await rejected
    expect(isAlive(id)).toBe(false)
    await expect(model.generate(ask('late'), patience())).rejects.toMatchObject({ code: 'model_unavailable' })
  })

  it('is gone when the daemon is killed, also in a generation', async () => {
    const script = join(folder, 'daemon.mjs')
    const adapter = fileURLToPath(new URL('node-llama-cpp.ts', import.meta.url))
    await writeFile(
      script,
      `import { createLlamaModel } from ${JSON.stringify(adapter)}
       const model = createLlamaModel({ reference: ${JSON.stringify(slow)}, modelsFolder: '.', threads: 1, gpu: false })
       const turns = [{ role: 'user', text: 'word '.repeat(1500) }]
       model.generate({ turns, answerTokensMax: 100, temperature: 0 }, {
         signal: new AbortController().signal,
         onProgress: ({ phase }) => { if (phase === 'prompt') process.send(model.processId()) },
       })`,
    )
    const daemon = fork(script, { execArgv: [], stdio: 'ignore' })
    const [id] = (await once(daemon, 'message')) as [number]
    expect(isAlive(id)).toBe(true)
    daemon.kill('SIGKILL')
    await waitUntil(() => !isAlive(id))
  })
})

describe('a model file', () => {
  const refusal = async (path: string, times: LlamaModelOptions['times'] = {}) => {
    const model = create({ reference: path, times })
    const error: unknown = await model.generate(ask('x'), patience()).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'model_unavailable' })
    expect(JSON.stringify([model.info(), error])).not.toContain(folder)
    return { model, message: error instanceof Error ? error.message : '' }
  }

  it('that is missing, empty, truncated or something else is named as that', async () => {
    const path = (name: string) => join(folder, name)
    const missing = await refusal(path('missing.gguf'))
    expect(missing.message).toBe('Cannot load "missing.gguf": there is no such file')
    expect(missing.model.info().state).toBe('missing')
    await writeFile(path('empty.gguf'), '')
    expect((await refusal(path('empty.gguf'))).message).toContain('is empty')
    await writeFile(path('text.gguf'), 'This is a text file, long enough to have a header.')
    expect((await refusal(path('text.gguf'))).message).toContain('is not a GGUF file')
    for (const bytes of [3000, 100_000]) {
      await copyFile(tiny, path('cut.gguf'))
      await truncate(path('cut.gguf'), bytes)
      const cut = await refusal(path('cut.gguf'))
      expect(cut.message).toContain('is truncated')
      expect(cut.model.info()).toMatchObject({ state: 'failed' })
    }
  })

  it('that lacks what the engine would abort over is refused before', async () => {
    const bytes = await readFile(tiny)
    const at = bytes.indexOf('qwen2.attention.head_count')
    bytes.write('qwen2.attention.head_xount', at)
    await writeFile(join(folder, 'headless.gguf'), bytes)
    expect((await refusal(join(folder, 'headless.gguf'))).message).toContain('lacks qwen2.attention.head_count')
  })

  it('of an architecture that the engine does not know fails with the engine’s own words', async () => {
    const bytes = (await readFile(tiny)).toString('latin1').replaceAll('qwen2', 'zebra')
    await writeFile(join(folder, 'zebra.gguf'), bytes, 'latin1')
    const { model } = await refusal(join(folder, 'zebra.gguf'))
    const error: unknown = await model.generate(ask('x'), patience()).catch((error: unknown) => error)
    expect(JSON.stringify(error)).toContain('unknown model architecture')
  })

  it('is tried again when it changes', async () => {
    const path = join(folder, 'later.gguf')
    const { model } = await refusal(path)
    await copyFile(tiny, path)
    expect((await model.generate(ask('x', 3), patience())).usage.completion_tokens).toBe(3)
  })

  it('is noticed when it comes, without a call, once nobody writes to it any more', async () => {
    const path = join(folder, 'arriving.gguf')
    const { model } = await refusal(path, { fileLook: 1000 })
    const bytes = await readFile(tiny)
    const states: string[] = []
    for (let part = 0; part < 8; part++) {
      await appendFile(path, bytes.subarray((part * bytes.length) / 8, ((part + 1) * bytes.length) / 8))
      states.push(model.info().state)
      await sleep(20)
    }
    expect(states).toEqual(Array(8).fill('missing'))
    await waitUntil(() => model.info().state === 'ready')
  })

  it('whose loading kills the process twice is left alone until it changes', async () => {
    const path = join(folder, 'deadly.gguf')
    await copyFile(tiny, path)
    const log: string[] = []
    // The process is killed by us as soon as it exists: what a model that crashes the engine looks like.
    const model = create({ reference: path, log: (line) => log.push(line), times: { restartDelays: [1] } })
    const call = model.generate(ask('x'), patience())
    let armed = true
    const killer = setInterval(() => {
      const id = model.processId()
      // One that has just died has not been missed yet.
      if (armed && id !== null && isAlive(id)) process.kill(id, 'SIGKILL')
    }, 5)
    try {
      await expect(call).rejects.toThrow(/was killed \(SIGKILL\), twice in a row/)
      armed = false
      expect(model.info()).toMatchObject({ state: 'failed' })
      await expect(model.generate(ask('x'), patience())).rejects.toMatchObject({ code: 'model_unavailable' })
      expect(model.processId()).toBe(null)
      await appendFile(path, '\0')
      expect((await model.generate(ask('x', 3), patience())).usage.completion_tokens).toBe(3)
    } finally {
      clearInterval(killer)
    }
  })
})

describe('a model that has answered', () => {
  it('goes on when its file vanishes, says so when its process is gone too, and answers when the file is back', async () => {
    const path = join(folder, 'vanishing.gguf')
    await copyFile(tiny, path)
    const model = create({ reference: path, times: { restartDelays: [10] } })
    const { text } = await model.generate(ask('Write', 40), patience())
    await rm(path)
    expect((await model.generate(ask('Write', 40), patience())).text).toBe(text)
    killChild(model)
    await waitUntil(() => model.info().state === 'missing')
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(model.generate(ask('Write', 40), patience())).rejects.toMatchObject({
        code: 'model_unavailable',
        message: 'Cannot load "vanishing.gguf": there is no such file',
        hint: expect.stringMatching(/.+/),
      })
    }
    expect(model.processId()).toBe(null)
    await copyFile(tiny, path)
    expect((await model.generate(ask('Write', 40), patience())).text).toBe(text)
  })
})

/** Of its process, in bytes: what it may write to and shares with nobody, used or not. */
async function readPrivateMemory(model: ModelSupervisor): Promise<number> {
  const status = await readFile(`/proc/${model.processId()}/status`, 'utf8')
  return Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

const hasLimits = spawnSync('prlimit', ['--version']).status === 0

// Only Linux limits the memory of another process, and not every one has the program for it.
describe.runIf(hasLimits)('a model for which there is not enough memory', () => {
  it('says so with the words of the engine, disturbs nothing else, and answers when there is enough', async () => {
    const small = create({ reference: tiny, slots: 1 })
    const { text } = await small.generate(ask('Write', 40), patience())
    const path = join(folder, 'wide.gguf')
    await writeTinyModel(path, { layers: 32, hidden: 512, heads: 8, keyValueHeads: 8, feedForward: 32 })
    // Enough for the engine and a tiny model. The contexts of this one would take 3 GB.
    const limit = (await readPrivateMemory(small)) + 500_000_000
    const options = { slots: 24, contextTokensMax: 2048, times: { restartDelays: [1] } }
    const model = create({ reference: path, ...options })
    const limited = new Set<number>()
    const limiter = setInterval(() => {
      const id = model.processId()
      if (id === null || limited.has(id)) return
      limited.add(id)
      execFileSync('prlimit', ['--pid', String(id), `--data=${limit}`])
    }, 2)
    try {
      const other = small.generate(ask('Write', 40), patience())
      const error: unknown = await model.generate(ask('x', 3), patience()).catch((error: unknown) => error)
      expect(error).toMatchObject({
        code: 'model_unavailable',
        message: expect.stringMatching(/^Cannot load wide\.gguf: /),
        hint: expect.stringMatching(/.+/),
        details: { log: expect.arrayContaining([expect.stringMatching(/alloc|memory/i)]) },
      })
      expect(limited.size).toBeGreaterThan(0)
      expect(model.info()).toMatchObject({ state: 'failed', detail: expect.stringContaining('Cannot load wide.gguf') })
      expect(model.processId()).toBe(null)
      expect((await other).text).toBe(text)
    } finally {
      clearInterval(limiter)
    }
    expect((await small.generate(ask('Write', 40), patience())).text).toBe(text)
    // What takes less memory, under the same name.
    await copyFile(tiny, path)
    model.retry()
    expect((await model.generate(ask('Write', 40), patience())).text).toBe(text)
  })
})

describe('a draft model', () => {
  it('guesses, and the answer is the same', async () => {
    const request = ask('Write', 40)
    const plain = await create({ reference: tiny }).generate(request, patience())
    const drafted = await create({ reference: tiny, levers: { draftModel: tiny } }).generate(request, patience())
    expect(drafted.text).toBe(plain.text)
    expect(drafted.usage).toMatchObject({ completion_tokens: 40, prompt_tokens: plain.usage.prompt_tokens })
  })

  it('that cannot be used is refused, and says why', async () => {
    const other = join(folder, 'other.gguf')
    await writeTinyModel(other, { vocabularyTokens: 900 })
    for (const [draftModel, why] of [
      [join(folder, 'nowhere.gguf'), /^Cannot use the draft model "nowhere.gguf": .*no such file/],
      [other, /^Cannot use the draft model "other.gguf": .*vocabulary/],
    ] as const) {
      const model = create({ reference: tiny, levers: { draftModel } })
      const call = model.generate(ask('x'), patience())
      await expect(call).rejects.toMatchObject({ code: 'model_unavailable' })
      await expect(call).rejects.toThrow(why)
      expect(model.info()).toMatchObject({ state: 'failed', detail: expect.stringContaining('MILLWRIGHT_DRAFT_MODEL') })
    }
  })
})

describe('the demo model', () => {
  const turns = (system: string, path: string, ...user: string[]): ChatTurn[] => [
    {
      role: 'system',
      text: `${system}\n\nYou are the only writer of \`${path}\`. Answer with the complete new content of that file in one fenced code block. Change only what the task asks.`,
    },
    { role: 'user', text: user.join('\n\n') },
  ]
  const write = async (model: ModelSupervisor, prompt: ChatTurn[]) => {
    const request = { turns: prompt, answerTokensMax: 800, temperature: 0 }
    const { text, stopReason } = await model.generate(request, patience())
    expect(stopReason).toBe('end')
    expect(text).toMatch(/^```python\n[\s\S]*\n```$/)
    return text.slice('```python\n'.length, -'```'.length)
  }

  it('writes the producer and the consumer of its README', async () => {
    const model = create({ reference: 'demo' })
    const producer = await write(
      model,
      turns(
        'Generate data structures',
        'producer.py',
        '### `producer.py` (yours, empty)',
        '### Task\nCreate a User model with id, name, email',
      ),
    )
    expect(producer).toMatch(/class User:[\s\S]* id: int\n {4}name: str\n {4}email: str\n/)
    const consumer = await write(
      model,
      turns(
        'Process data from producer',
        'consumer.py',
        `### \`producer.py\` (read only)\n\`\`\`python\n${producer}\`\`\``,
        '### `consumer.py` (yours, empty)',
        '### Task\nCreate API endpoints for the User model',
      ),
    )
    expect(consumer).toContain('from producer import User\n')
    for (const name of ['create_user', 'get_user', 'list_users', 'update_user', 'delete_user']) {
      expect(consumer).toContain(`def ${name}(`)
    }
  })
})

describe('a download', () => {
  /** A mirror: the tiny model under every address, sent in pieces when `hold` says so. */
  async function startMirror(hold?: Promise<void>) {
    const bytes = await readFile(tiny)
    const server = http.createServer(async (request, response) => {
      if (request.url?.includes('absent')) return void response.writeHead(404).end()
      const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
      const from = range === null ? 0 : Number(range[1])
      const to = range?.[2] ? Number(range[2]) + 1 : bytes.length
      response.writeHead(range === null ? 200 : 206, {
        'content-length': to - from,
        'accept-ranges': 'bytes',
        ...(range === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` }),
      })
      if (request.method === 'HEAD') return void response.end()
      const middle = from + Math.floor((to - from) / 2)
      response.write(bytes.subarray(from, middle))
      await hold
      response.end(bytes.subarray(middle, to))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }
  const environment = (endpoint: string) => ({ PATH: process.env.PATH, HOME: folder, HF_ENDPOINT: endpoint })

  it('is refused in seconds where the server cannot be reached, and says what to do', async () => {
    const model = create({ reference: 'qwen2.5-7b', environment: environment('http://127.0.0.1:9') })
    const started = performance.now()
    await expect(model.generate(ask('x'), patience())).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/^Cannot download qwen2\.5-7b: 127\.0\.0\.1:9 cannot be reached \(/),
      hint: expect.stringContaining('--model PATH'),
    })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(model.info()).toMatchObject({ state: 'missing', detail: expect.stringContaining('HF_ENDPOINT') })
    const again = performance.now()
    await expect(model.generate(ask('x'), patience())).rejects.toMatchObject({ code: 'model_unavailable' })
    expect(performance.now() - again).toBeLessThan(200)
    expect(model.processId()).toBe(null)
  })

  it('is refused when the server lacks the file', async () => {
    const { server, url } = await startMirror()
    const model = create({ reference: `${url}/absent.gguf`, environment: environment(url) })
    await expect(model.generate(ask('x'), patience())).rejects.toThrow(/does not have it \(404\)/)
    server.close()
  })

  it('shows its progress, keeps no call waiting, and ends in a model that answers', async () => {
    const gate = Promise.withResolvers<void>()
    const { server, url } = await startMirror(gate.promise)
    const modelsFolder = join(folder, 'downloads')
    const options = { reference: 'hf:someone/Small-GGUF/small.gguf', environment: environment(url), modelsFolder }
    const model = create(options)
    await expect(model.generate(ask('x', 3), patience())).rejects.toThrow(/is downloading/)
    expect(model.info()).toMatchObject({ state: 'downloading', download: { bytes: expect.any(Number) } })
    gate.resolve()
    await waitUntil(() => model.info().state === 'ready', 15_000)
    expect((await model.generate(ask('x', 3), patience())).usage.completion_tokens).toBe(3)
    server.close()
    server.closeAllConnections()
    expect(await readdir(modelsFolder)).toEqual([expect.stringMatching(/small\.gguf$/)])
    const offline = create({ ...options, environment: environment('http://127.0.0.1:9') })
    expect((await offline.generate(ask('x', 3), patience())).usage.completion_tokens).toBe(3)
  })
})
