import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { getLlama, type Llama, type LlamaModel, type Token } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { createSeededRandom } from '#test/support/seeded-random.ts'
import type { ChildGrammar } from '../inference/child-protocol.ts'
import { LEVERS_DEFAULT, type Levers } from '../inference/levers.ts'
import { Grammars } from './node-llama-cpp-grammar.ts'
import { ModelSlots, type SlotRequest } from './node-llama-cpp-slots.ts'

let llama: Llama
let folder: string
let model: LlamaModel
let grammars: Grammars

beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-slots-'))
  llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 1 })
  const modelPath = join(folder, 'tiny.gguf')
  await writeTinyModel(modelPath)
  model = await llama.loadModel({ modelPath })
  grammars = new Grammars(llama, model)
})
afterAll(async () => {
  await llama.dispose()
  await rm(folder, { recursive: true, force: true })
})

interface SlotsOptions extends Partial<Levers> {
  readonly count: number
  readonly draft?: LlamaModel
  readonly statesFolder?: string
}

/** The engine waits for ever for a context that was collected as garbage before it is disposed of itself. */
const kept: ModelSlots[] = []

async function createSlots({ count, draft, statesFolder, ...levers }: SlotsOptions): Promise<ModelSlots> {
  const slots = await ModelSlots.create(model, count, {
    contextSize: 1024,
    threads: 1,
    // With it, how a prompt is cut into pieces is a rounding error.
    levers: { ...LEVERS_DEFAULT, flashAttention: 'off', draftModel: draft === undefined ? null : 'draft', ...levers },
    draft: draft ?? null,
    states: statesFolder === undefined ? null : { folder: statesFolder, bytesMax: 5_000_000, engine: 'tiny' },
  })
  kept.push(slots)
  return slots
}

const FORMS: readonly (ChildGrammar | null)[] = [
  null,
  // Most of it is in the prompt, so that it is guessed; the rest follows from all that came before.
  { kind: 'gbnf', text: 'root ::= ("abcdefgh" [i-r] "stuvwx" [0-9]){5}' },
  { kind: 'edits', lines: 30, info: '', fenceLength: 3 },
]
const ANSWER_TOKENS = 60

interface Call extends Pick<SlotRequest, 'cacheKey'> {
  readonly prompt: readonly number[]
  readonly form: ChildGrammar | null
  readonly signal?: AbortSignal
  readonly onToken?: (tokens: number) => void
}

async function generate(slots: ModelSlots, { prompt, form, cacheKey, signal, onToken }: Call): Promise<Token[]> {
  const { tokens } = await slots.generate({
    prompt: prompt.map((token) => token as Token),
    answerTokensMax: ANSWER_TOKENS,
    temperature: 0,
    cacheKey,
    guide: form === null ? null : await grammars.guide(form),
    signal: signal ?? AbortSignal.timeout(20_000),
    onProgress: (phase, tokens) => {
      if (phase === 'generating') onToken?.(tokens)
    },
  })
  return tokens
}

/** Calls of seven agents in each form, whose prompts hold some of their answer, and what they are answered. */
async function prepare(): Promise<{ call: Call; expected: Token[] }[]> {
  const plain = await createSlots({ count: 1, promptLookup: false })
  const prepared: { call: Call; expected: Token[] }[] = []
  for (let agent = 0; agent < 7; agent++) {
    for (const form of FORMS) {
      const cacheKey = `${agent}`
      const base = Array.from({ length: 300 }, (_, index) => 40 + ((index * (agent + 3) + (index >> 4)) % 50))
      const answer = await generate(plain, { prompt: base, form, cacheKey })
      const call = { prompt: [...base, ...answer, 41, 42, ...base.slice(0, 20)], form, cacheKey }
      prepared.push({ call, expected: await generate(plain, call) })
    }
  }
  return prepared
}

describe('slots with state files, guesses, forms and cancels at once', () => {
  it.each([false, true])('give every answer as it is without them, with a draft model: %s', async (withDraft) => {
    const prepared = await prepare()
    const statesFolder = await mkdtemp(join(folder, 'states-'))
    const slots = await createSlots({ count: 3, statesFolder, ...(withDraft ? { draft: model } : {}) })
    const random = createSeededRandom(3)
    const seen = { answered: 0, cancelled: 0 }
    const caller = async (): Promise<void> => {
      for (let round = 0; round < 15; round++) {
        const chosen = prepared[random.below(prepared.length)]
        if (chosen === undefined) throw new Error('There is no call to choose')
        const { call, expected } = chosen
        const abort = new AbortController()
        const last = random.below(3) === 0 ? random.below(ANSWER_TOKENS) : null
        const onToken = (tokens: number): void => {
          if (tokens === last) abort.abort()
        }
        try {
          expect(await generate(slots, { ...call, signal: abort.signal, onToken })).toEqual(expected)
          seen.answered++
        } catch (error) {
          if (!abort.signal.aborted) throw error
          seen.cancelled++
        }
      }
    }
    await Promise.all([caller(), caller(), caller()])
    expect(Math.min(seen.answered, seen.cancelled)).toBeGreaterThan(5)
    expect((await readdir(statesFolder)).length).toBeGreaterThan(0)
  })
})
