import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { getLlama, type Llama, type LlamaModel, type Token, TokenPredictor } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { LEVERS_DEFAULT, type Levers } from '../inference/levers.ts'
import { Grammars } from './node-llama-cpp-grammar.ts'
import { ModelSlots, type SlotRequest } from './node-llama-cpp-slots.ts'

/** The engine in this very process: what is asked here is not to be seen through the process that holds it. */
let llama: Llama
let folder: string
/** Its next token follows from the last one alone, so that an answer can be in its own prompt. */
let memoryless: LlamaModel
let ordinary: LlamaModel

beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-lookup-'))
  llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 1 })
  const load = async (name: string, options: Parameters<typeof writeTinyModel>[1]) => {
    const modelPath = join(folder, name)
    await writeTinyModel(modelPath, options)
    return llama.loadModel({ modelPath })
  }
  memoryless = await load('memoryless.gguf', {
    quantisation: 'q4_0',
    // Keys of 32 values, the smallest that a quantised cache takes.
    heads: 2,
    vocabularyTokens: 40_000,
    memoryless: true,
  })
  ordinary = await load('ordinary.gguf', {})
})
afterAll(async () => {
  await llama.dispose()
  await rm(folder, { recursive: true, force: true })
})

const toTokens = (numbers: readonly number[]) => numbers.map((number) => number as Token)
const ANSWER_TOKENS = 64

/** The engine waits for ever for a context that was collected as garbage before it is disposed of itself. */
const kept: ModelSlots[] = []

async function createSlots(
  model: LlamaModel,
  promptLookup: boolean,
  { count = 4, draft = null, ...levers }: { count?: number; draft?: LlamaModel | null } & Partial<Levers> = {},
): Promise<ModelSlots> {
  const slots = await ModelSlots.create(model, count, {
    contextSize: 512,
    threads: 1,
    levers: { ...LEVERS_DEFAULT, promptLookup, draftModel: draft === null ? null : 'draft.gguf', ...levers },
    draft,
    states: null,
  })
  kept.push(slots)
  return slots
}

function generate(slots: ModelSlots, prompt: readonly number[], request: Partial<SlotRequest> = {}) {
  return slots.generate({
    prompt: toTokens(prompt),
    answerTokensMax: ANSWER_TOKENS,
    temperature: 0,
    cacheKey: 'a',
    guide: null,
    signal: AbortSignal.timeout(20_000),
    onProgress: () => {},
    ...request,
  })
}

/** What the memoryless model says after this token. */
async function answerAfter(token: number): Promise<number[]> {
  const { tokens } = await generate(await createSlots(memoryless, false, { count: 1 }), [9, token])
  expect(new Set(tokens).size).toBeGreaterThan(50)
  return tokens
}

const changed = (tokens: readonly number[], every: number) =>
  tokens.map((token, index) => (index % every === every - 1 ? 300 : token))

describe('the mended engine', () => {
  it('is of the version that the patch was made for; another one may need none', async () => {
    const manifest: unknown = JSON.parse(
      await readFile(new URL('../../node_modules/node-llama-cpp/package.json', import.meta.url), 'utf8'),
    )
    expect(manifest).toMatchObject({ version: '3.22.1' })
    const patch = await readFile(new URL('../../patches/node-llama-cpp+3.22.1.patch', import.meta.url), 'utf8')
    expect(patch).toContain('-                                    : validatedTokens.at(-1)?.[1];')
  })

  it.each([false, true])('accepts more than one guessed token in a step, with a grammar: %s', async (withGrammar) => {
    const context = await ordinary.createContext({ contextSize: 512, threads: 1 })
    const grammar = await llama.createGrammar({ grammar: 'root ::= ([a-f] [g-z]){60}' })
    const run = async (predictor?: TokenPredictor): Promise<Token[]> => {
      const sequence = context.getSequence(predictor === undefined ? {} : { tokenPredictor: predictor })
      const tokens: Token[] = []
      const { LlamaGrammarEvaluationState } = await import('node-llama-cpp')
      const grammarEvaluationState = new LlamaGrammarEvaluationState({ model: ordinary, grammar })
      const options = { temperature: 0, ...(withGrammar ? { grammarEvaluationState } : {}) }
      for await (const token of sequence.evaluate(toTokens([65, 66, 67]), options)) {
        tokens.push(token)
        if (tokens.length === 40) break
      }
      await sequence.dispose()
      return tokens
    }
    const expected = await run()
    let steps = 0
    let at = 0
    /** Knows the answer. */
    class Oracle extends TokenPredictor {
      reset(): void {}
      pushTokens(tokens: Token[]): void {
        at += tokens.length
      }
      predictTokens(): Token[] {
        steps++
        return at === 0 ? [] : expected.slice(at, at + 4)
      }
    }
    expect(await run(new Oracle())).toEqual(expected)
    // The first token, and then five in a step.
    expect(steps).toBeLessThanOrEqual(1 + Math.ceil(39 / 5))
    await context.dispose()
  })
})

describe('prompt lookup', () => {
  it('gives the same tokens, for copies and for changed copies, alone and at once', async () => {
    const starts = [11, 22, 33, 44]
    const answers = await Promise.all(starts.map(answerAfter))
    const slots = await createSlots(memoryless, true)
    for (const every of [1000, 6, 2]) {
      const prompts = answers.map((answer, index) => [7, 8, ...changed(answer, every), 5, 6, starts[index] ?? 0])
      for (const [index, prompt] of prompts.entries()) {
        expect((await generate(slots, prompt, { cacheKey: `alone-${index}` })).tokens).toEqual(answers[index])
      }
      const together = await Promise.all(
        prompts.map((prompt, index) => generate(slots, prompt, { cacheKey: `at once-${index}` })),
      )
      expect(together.map(({ tokens }) => tokens)).toEqual(answers)
    }
  })

  it('gives the same tokens of a model whose answer is no copy', async () => {
    const prompts = [0, 1, 2].map((which) =>
      Array.from({ length: 15 }, (_, index) => 40 + ((index * (which + 3)) % 50)),
    )
    const [without, guessing] = [await createSlots(ordinary, false), await createSlots(ordinary, true)]
    for (const prompt of prompts) {
      const { tokens } = await generate(without, prompt)
      // Holds some of the answer, so that guesses begin. Under 64 tokens: flash attention on a CPU rounds otherwise for
      // pieces of that size and larger, and how large a piece is depends on speed.
      const longer = [...prompt, ...tokens.slice(0, 30), ...prompt]
      const expected = await generate(without, longer)
      expect((await generate(guessing, longer)).tokens).toEqual(expected.tokens)
    }
  })

  it('stops at the limit, and leaves the slot as it was without', async () => {
    const answer = await answerAfter(11)
    const slots = await createSlots(memoryless, true, { count: 1 })
    const prompt = [7, 8, ...answer, 5, 6, 11]
    for (const answerTokensMax of [1, 2, 30, 31, 50]) {
      const { tokens, stopReason } = await generate(slots, prompt, { answerTokensMax })
      expect([tokens, stopReason]).toEqual([answer.slice(0, answerTokensMax), 'length'])
    }
    // The last token of an answer is never evaluated, so the next turn finds all but that one.
    const next = [...prompt, ...answer.slice(0, 50), 99]
    const { cachedTokens, tokens } = await generate(slots, next)
    expect(cachedTokens).toBe(prompt.length + 49)
    expect(tokens).toEqual((await generate(await createSlots(memoryless, false, { count: 1 }), next)).tokens)
  })

  it('does not go over the end of the context', async () => {
    const answer = await answerAfter(11)
    const slots = await createSlots(memoryless, true, { count: 1 })
    const prompt = [...Array.from({ length: slots.contextTokens - 2 * ANSWER_TOKENS - 1 }, () => 3), ...answer, 11]
    expect((await generate(slots, prompt)).tokens).toEqual(answer)
  })

  it('ends with its call when that is cancelled, and the next call is right', async () => {
    const answer = await answerAfter(11)
    const slots = await createSlots(memoryless, true, { count: 1 })
    const prompt = [7, 8, ...answer, 5, 6, 11]
    const abort = new AbortController()
    const call = generate(slots, prompt, {
      signal: abort.signal,
      onProgress: (_phase, tokens) => {
        if (tokens === 20) abort.abort()
      },
    })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    const again = await generate(slots, prompt)
    expect(again.tokens).toEqual(answer)
    expect(again.cachedTokens).toBe(prompt.length - 1)
  })

  it('ends, and takes wrong guesses back, while other answers go on', async () => {
    const answer = await answerAfter(11)
    const slots = await createSlots(memoryless, true)
    let seen = 0
    const others = [22, 33, 44].map((token) =>
      generate(slots, [9, token], {
        cacheKey: `long ${token}`,
        answerTokensMax: 400,
        onProgress: (_phase, tokens) => {
          seen = Math.max(seen, tokens)
        },
      }),
    )
    const { tokens } = await generate(slots, [7, 8, ...changed(answer, 5), 5, 6, 11], { cacheKey: 'short' })
    expect(seen).toBeLessThan(200)
    await Promise.all(others)
    expect(tokens).toEqual(answer)
  })
})

describe('a draft model', () => {
  it('changes no token, alone and at once, with prompt lookup and without', async () => {
    const prompts = [0, 1, 2].map((which) => [60 + which, 61, 62, 63 + which])
    const plain = await createSlots(ordinary, false)
    const expected: Token[][] = []
    for (const prompt of prompts) expected.push((await generate(plain, prompt)).tokens)
    for (const promptLookup of [false, true]) {
      const slots = await createSlots(ordinary, promptLookup, { draft: ordinary })
      const alone = await generate(slots, prompts[0] ?? [], { cacheKey: 'alone' })
      expect(alone.tokens).toEqual(expected[0])
      const answers = await Promise.all(
        prompts.map((prompt, index) => generate(slots, prompt, { cacheKey: `${index}` })),
      )
      expect(answers.map(({ tokens }) => tokens)).toEqual(expected)
    }
  })

  it('may guess beyond the end of the context', async () => {
    const plain = await createSlots(ordinary, false, { count: 1 })
    const prompt = Array.from({ length: plain.contextTokens - ANSWER_TOKENS }, (_, index) => 40 + (index % 50))
    const drafted = await createSlots(ordinary, false, { count: 1, draft: ordinary })
    const { tokens } = await generate(plain, prompt)
    expect(tokens).toHaveLength(ANSWER_TOKENS)
    expect((await generate(drafted, prompt)).tokens).toEqual(tokens)
    expect((await generate(drafted, prompt, { cacheKey: 'b' })).tokens).toEqual(tokens)
  })

  it('changes no token of an answer with a grammar', async () => {
    const grammars = new Grammars(llama, ordinary)
    const guide = () => grammars.guide({ kind: 'gbnf', text: 'root ::= "a" ([b-f] [g-z]){60}' })
    const [plain, slots] = [await createSlots(ordinary, false), await createSlots(ordinary, true, { draft: ordinary })]
    for (const prompt of [
      [60, 61, 62],
      [70, 71, 72],
    ]) {
      const { tokens } = await generate(plain, prompt, { guide: await guide() })
      expect((await generate(slots, prompt, { guide: await guide() })).tokens).toEqual(tokens)
    }
  })

  it('keeps no answer waiting, however many there are at once', async () => {
    const slots = await createSlots(ordinary, false, { count: 3, draft: ordinary })
    const expected = new Map<number, Token[]>()
    const prompt = (which: number) => Array.from({ length: 20 }, (_, index) => 40 + ((index * (which + 3)) % 50))
    for (const which of [0, 1, 2]) expected.set(which, (await generate(slots, prompt(which))).tokens)
    const agent = async (which: number) => {
      for (let round = 0; round < 20; round++) {
        const { tokens } = await generate(slots, prompt(which), { cacheKey: `${which}` })
        expect(tokens).toEqual(expected.get(which))
      }
    }
    await Promise.all([0, 1, 2].map(agent))
  })

  it('of another vocabulary is refused, by name', async () => {
    const attempt = createSlots(memoryless, true, { draft: ordinary })
    await expect(attempt).rejects.toMatchObject({ code: 'model_unavailable' })
    await expect(attempt).rejects.toThrow(/^Cannot use the draft model "draft.gguf": .*vocabulary/)
  })
})

describe('levers', () => {
  it.each<Partial<Levers>>([{ flashAttention: 'off' }, { flashAttention: 'on', kvCache: 'q8_0' }])(
    '%j give an answer, with guesses right',
    async (levers) => {
      const answer = await answerAfter(11)
      const slots = await createSlots(memoryless, true, { count: 2, ...levers })
      expect((await generate(slots, [7, 8, ...changed(answer, 9), 5, 6, 11])).tokens).toEqual(answer)
    },
  )
})
