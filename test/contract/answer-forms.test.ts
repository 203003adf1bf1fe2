import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import { chooseForm } from '#gpu-worker/agent/choose-form.ts'
import { createPrompt, type PromptRequest } from '#gpu-worker/agent/prompt.ts'
import type { GenerateResult, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { draftSchema } from '#gpu-worker/templates/draft.ts'
import { writeTinyModel } from '#scripts/tiny-model.ts'

// Forms of answers, held by real engines against models that know nothing of them.

const folder = mkdtempSync(join(tmpdir(), 'millwright-forms-'))
/** Random weights: at a high temperature any token may come next. */
let random: LanguageModel
/** Writes files in fences, and has never seen an edit. */
let demo: LanguageModel

beforeAll(async () => {
  const path = join(folder, 'tiny.gguf')
  await writeTinyModel(path)
  const options = { modelsFolder: folder, threads: 1, gpu: false, slots: 8, queueMax: 1000 } as const
  random = createLlamaModel({ reference: path, ...options })
  demo = createLlamaModel({ reference: 'demo', ...options })
})
afterAll(async () => {
  await Promise.all([random.close(), demo.close()])
  rmSync(folder, { recursive: true, force: true })
})

const request = (text: string | null, message: string): PromptRequest => ({
  systemPrompt: 'Generate data structures',
  path: 'producer.py',
  text,
  context: [],
  rules: [],
  message,
  isQuestion: false,
})
const user = 'class User:\n    id: int\n    name: str\n    email: str\n'
const lines = (count: number): string => 'x = 1\n'.repeat(count)

interface Sampling {
  readonly text: string
  readonly linesMax: number
  readonly temperature: number
  readonly answerTokensMax: number
  readonly count: number
}

/** Answers of a model that ended by themselves. */
async function sample(model: LanguageModel, { text, linesMax, count, ...rest }: Sampling): Promise<GenerateResult[]> {
  const { grammar, prompt } = chooseForm('producer.py', text, linesMax)
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      model.generate(
        // Answers that begin together draw the same numbers: it is the task that makes them differ.
        { turns: createPrompt(request(text, `Add a field x${index} to User`), prompt), grammar, ...rest },
        { signal: AbortSignal.timeout(150_000) },
      ),
    ),
  )
  return answers.filter(({ stopReason }) => stopReason === 'end')
}

describe('edits of lines', () => {
  const FAULTS = /^(no_edit|edit_|unclosed_fence|answer_length)/

  it.each([
    ['random weights', () => random, { lineCount: 12, count: 80, temperature: 3, textsMin: 2 }],
    // A trained model is sure of most of its tokens, and may say the same each time.
    ['a model that knows fences', () => demo, { lineCount: 12, count: 12, temperature: 1.2, textsMin: 1 }],
  ] as const)(
    'apply whenever they end: %s',
    async (_what, model, { lineCount, count, temperature, textsMin }) => {
      const text = lines(lineCount)
      const ended = await sample(model(), { text, linesMax: 0, temperature, answerTokensMax: 60, count })
      expect(new Set(ended.map((answer) => answer.text)).size).toBeGreaterThanOrEqual(textsMin)
      const form = chooseForm('producer.py', text, 0)
      for (const answer of ended) {
        const { failures, text: after } = form.read(answer, 'Add a field age to User')
        expect(
          failures.filter(({ rule }) => FAULTS.test(rule)),
          answer.text,
        ).toEqual([])
        expect(after, answer.text).not.toBeNull()
      }
    },
    180_000,
  )
})

describe('whole files', () => {
  it('are files whenever the answer ends, also from a model that has lost its way', async () => {
    const options = { linesMax: 200, temperature: 1.5, answerTokensMax: 200, count: 8 }
    const ended = await sample(demo, { text: user, ...options })
    expect(ended.length).toBeGreaterThan(0)
    const form = chooseForm('producer.py', user, 200)
    for (const answer of ended) expect(form.read(answer, 'Rewrite it').text, answer.text).not.toBeNull()
  }, 180_000)

  it.each([
    [null, 'Create a User model with id, name, email'],
    [user, 'Add a field age to User'],
    [user, 'Add docstrings'],
  ])('come out the same where the model keeps to the form by itself: %j, %s', async (text, message) => {
    const { grammar } = chooseForm('producer.py', text, 200)
    const asked = { turns: createPrompt(request(text, message)), answerTokensMax: 400, temperature: 0 }
    const patience = { signal: AbortSignal.timeout(30_000) }
    const free = await demo.generate(asked, patience)
    expect((await demo.generate({ ...asked, grammar }, patience)).text).toBe(free.text)
  })
})

describe('drafts of templates', () => {
  // Long before its end an answer of random weights is cut; up to there it has the form.
  it('are begun as they must be, by a model that knows nothing of JSON', async () => {
    const grammar = { kind: 'json', schema: draftSchema } as const
    const asked = { turns: createPrompt(request(null, 'A module')), answerTokensMax: 60, temperature: 1.5, grammar }
    const { text: answer, stopReason } = await random.generate(asked, { signal: AbortSignal.timeout(30_000) })
    expect(stopReason).toBe('length')
    expect(answer).toMatch(/^\{\s*"name":\s*"(?:[^"\\]|\\.)*/)
  })
})
