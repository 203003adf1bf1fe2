import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { AnswerSchema } from '#gpu-worker/ports/answer-grammar.ts'
import type { ChatTurn, GenerateProgress, GenerateRequest, LanguageModel } from '#gpu-worker/ports/language-model.ts'

export interface LanguageModels {
  /** One that answers with the weights of the demo model, under the name `demo`. */
  create(options?: { readonly callsMax?: number }): Promise<LanguageModel>
  /** One that cannot answer, now or later: no file, no server. */
  createBroken(): Promise<LanguageModel>
  /** Calls that wait or run where the inference is done, also after their callers have gone. */
  atWork(): number
  /** By how much one call raises `atWork`: it may be counted in several places. */
  readonly countsOfCall: number
}

const turns: readonly ChatTurn[] = [
  {
    role: 'system',
    text: 'Generate data structures\n\nYou are the only writer of `producer.py`. Answer with the complete new content of that file in one fenced code block. Change only what the task asks.',
  },
  {
    role: 'user',
    text: '### `producer.py` (yours, empty)\n\n### Task\nCreate a User model with id, name, email',
  },
]
const ask = (answerTokensMax = 400): GenerateRequest => ({ turns, answerTokensMax, temperature: 0 })
const patience = () => ({ signal: AbortSignal.timeout(25_000) })

/** What every language model must do, wherever it runs. */
export function describeLanguageModel(name: string, models: LanguageModels): void {
  describe(`language model: ${name}`, () => {
    const open: LanguageModel[] = []
    const create = async (options?: { readonly callsMax?: number }) => {
      const model = await models.create(options)
      open.push(model)
      return model
    }
    afterEach(async () => {
      await Promise.all(open.splice(0).map((model) => model.close()))
    })

    it('answers, the same at temperature 0, and tells what it cost', async () => {
      const model = await create()
      const first = await model.generate(ask(), patience())
      expect(first.stopReason).toBe('end')
      expect(first.text).toMatch(/^```python\n[\s\S]*class User:[\s\S]*\n```$/)
      expect(first.usage).toMatchObject({ model: 'demo', time_to_first_token_ms: expect.any(Number) })
      expect(first.usage.prompt_tokens).toBeGreaterThan(50)
      expect(first.usage.completion_tokens).toBeGreaterThan(20)
      expect(first.usage.completion_tokens).toBeLessThan(400)
      const again = await model.generate(ask(), patience())
      expect(again.text).toBe(first.text)
      expect(again.usage.cached_prompt_tokens).toBe(first.usage.prompt_tokens - 1)
    })

    it('stops at the limit of its answer, and says so', async () => {
      const model = await create()
      const { stopReason, usage } = await model.generate(ask(5), patience())
      expect(stopReason).toBe('length')
      expect(usage.completion_tokens).toBe(5)
    })

    it('keeps to a grammar, ends where it does, and is free again without one', async () => {
      const model = await create()
      const free = await model.generate(ask(), patience())
      const held = await model.generate(
        { ...ask(), grammar: { kind: 'gbnf', text: 'root ::= "# " [a-z]{3} "\\n" [0-9]{2}' } },
        patience(),
      )
      expect(held).toMatchObject({ stopReason: 'end', text: expect.stringMatching(/^# [a-z]{3}\n\d\d$/) })
      const cut = await model.generate({ ...ask(7), grammar: { kind: 'gbnf', text: 'root ::= "a"{500}' } }, patience())
      expect(cut).toMatchObject({ stopReason: 'length', text: expect.stringMatching(/^a{7,}$/) })
      expect((await model.generate(ask(), patience())).text).toBe(free.text)
    })

    it('answers with JSON of a schema, whatever it would say', async () => {
      const model = await create()
      const schema: AnswerSchema = {
        type: 'object',
        properties: {
          title: { type: 'string', maxLength: 20 },
          kind: { type: 'string', enum: ['big', 'small'] },
          count: { type: 'integer', minimum: 3, maximum: 120 },
          done: { type: 'boolean' },
          lines: { type: 'array', items: { type: 'string', maxLength: 5 }, minItems: 1, maxItems: 3 },
        },
        required: ['title', 'kind', 'count', 'done', 'lines'],
        additionalProperties: false,
      }
      const Answer = v.strictObject({
        title: v.pipe(v.string(), v.maxLength(20)),
        kind: v.picklist(['big', 'small']),
        count: v.pipe(v.number(), v.integer(), v.minValue(3), v.maxValue(120)),
        done: v.boolean(),
        lines: v.pipe(v.array(v.pipe(v.string(), v.maxLength(5))), v.minLength(1), v.maxLength(3)),
      })
      for (const temperature of [0, 1.5, 1.5, 1.5]) {
        const answer = await model.generate({ ...ask(), temperature, grammar: { kind: 'json', schema } }, patience())
        expect(answer.stopReason).toBe('end')
        expect(() => v.parse(Answer, JSON.parse(answer.text)), answer.text).not.toThrow()
      }
    })

    it('tells how far it is', async () => {
      const model = await create()
      const seen: GenerateProgress[] = []
      await model.generate(ask(), { ...patience(), onProgress: (progress) => void seen.push(progress) })
      expect(seen.map(({ phase }) => phase)).toContain('prompt')
      expect(seen.at(-1)?.promptTokensTotal).toBeGreaterThan(50)
      const tokens = seen.map((progress) => progress.tokens)
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    })

    it('counts tokens', async () => {
      const model = await create()
      const count = (text: string) => model.countTokens(text, AbortSignal.timeout(20_000))
      expect(await count('')).toBe(0)
      expect(await count('class User:')).toBeGreaterThan(0)
      expect(await count('class User:\n'.repeat(20))).toBeGreaterThan(await count('class User:\n'.repeat(10)))
    })

    it('refuses what does not fit, naming the sizes, and never cuts', async () => {
      const model = await create()
      const large = { ...ask(), turns: [{ role: 'user' as const, text: 'class User: pass\n'.repeat(1000) }] }
      for (const request of [large, ask(4000)]) {
        const refused = model.generate(request, patience())
        await expect(refused).rejects.toMatchObject({
          code: 'context_overflow',
          details: {
            prompt_tokens: expect.any(Number),
            answer_tokens_max: request.answerTokensMax,
            context_tokens: 2048,
          },
        })
        await expect(refused).rejects.toThrow(/prompt of \d+ tokens and answer of up to \d+, limit 2048/)
      }
      expect((await model.generate(ask(5), patience())).usage.completion_tokens).toBe(5)
    })

    it('says what it is once it has been used', async () => {
      const model = await create()
      expect(model.name).toBe('demo')
      await model.countTokens('x', AbortSignal.timeout(20_000))
      expect(model.info()).toMatchObject({ name: 'demo', state: 'ready', download: null, queued: 0 })
      expect(model.info().context_tokens).toBe(2048)
    })

    it('answers calls that overlap, and says busy beyond what may wait', async () => {
      const model = await create({ callsMax: 3 })
      await model.countTokens('x', AbortSignal.timeout(20_000))
      const calls = [1, 2, 3].map(() => model.generate(ask(200), patience()))
      await expect(model.generate(ask(), patience())).rejects.toMatchObject({
        code: 'busy',
        details: { retry_after_ms: expect.any(Number) },
      })
      const texts = (await Promise.all(calls)).map(({ text }) => text)
      expect(new Set(texts).size).toBe(1)
      expect(model.info().queued).toBe(0)
    })

    it('lets go of a call that is cancelled, and answers the next', async () => {
      const model = await create()
      await model.countTokens('x', AbortSignal.timeout(20_000))
      // Says no more than a free answer, but cannot end before its room does.
      const endless = { ...ask(1500), grammar: { kind: 'gbnf', text: 'root ::= ([a-z] [0-9]){1000}' } } as const
      const begin = () => {
        const abort = new AbortController()
        const begun = Promise.withResolvers<void>()
        const onProgress = ({ phase }: GenerateProgress) => {
          if (phase === 'prompt' || phase === 'generating') begun.resolve()
        }
        const call = { isOver: false, abort, begun: begun.promise, answer: Promise.resolve({}) }
        call.answer = model.generate(endless, { signal: abort.signal, onProgress }).finally(() => {
          call.isOver = true
        })
        return call
      }
      const [stays, goes] = [begin(), begin()]
      const cancelled = [stays, goes].map(({ answer }) => expect(answer).rejects.toMatchObject({ code: 'cancelled' }))
      await Promise.all([stays.begun, goes.begun])
      await expect.poll(() => models.atWork()).toBe(2 * models.countsOfCall)
      goes.abort.abort()
      // The other one, which is as long, is not over when this one is let go of.
      await expect.poll(() => models.atWork(), { timeout: 5000 }).toBe(models.countsOfCall)
      expect([goes.isOver, stays.isOver]).toEqual([true, false])
      stays.abort.abort()
      await Promise.all(cancelled)
      await expect(model.generate(ask(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
      expect((await model.generate(ask(5), patience())).usage.completion_tokens).toBe(5)
      await expect.poll(() => [model.info().queued, models.atWork()]).toEqual([0, 0])
    })

    it('refuses calls after its end, which cancels those in flight', async () => {
      const model = await create()
      await model.countTokens('x', AbortSignal.timeout(20_000))
      const call = model.generate(ask(1500), patience())
      const cancelled = expect(call).rejects.toMatchObject({ code: 'cancelled' })
      await model.close()
      await cancelled
      await expect(model.generate(ask(), patience())).rejects.toMatchObject({ code: 'model_unavailable' })
      await expect.poll(() => models.atWork()).toBe(0)
    })

    it('says why it cannot answer and what to do', async () => {
      const model = await models.createBroken()
      open.push(model)
      const refused = model.generate(ask(), patience())
      await expect(refused).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringMatching(/^Cannot /),
        hint: expect.stringMatching(/.+/),
      })
      expect(['missing', 'failed']).toContain(model.info().state)
      expect(model.info().detail).toMatch(/^Cannot /)
    })
  })
}
