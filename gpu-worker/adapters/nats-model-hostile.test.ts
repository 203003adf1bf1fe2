import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelAsk } from '#shared/protocol/model-group.ts'
import { type ModelGroupWorld, startModelGroupWorld } from '#test/support/model-group-world.ts'
import { createScriptedModel, type ScriptedModel } from '#test/support/scripted-model.ts'

// A machine that has the password of model workers and means harm, beside an honest one of the same model.

const member = randomUUID()
const usage = {
  prompt_tokens: 1,
  cached_prompt_tokens: 0,
  completion_tokens: 1,
  ttft_ms: 1,
  tokens_per_second: 1,
  queue_ms: 0,
}
const info = { name: 'm', state: 'ready', detail: '', download: null, context_tokens: 1, queued: -9 }
const refusal = { kind: 'refused', info, error: { code: 'busy', message: 'full' } }
const generated = { kind: 'generated', info, text: 'evil', stop_reason: 'end', usage }

const hostile: [string, (id: string) => unknown[]][] = [
  ['says nothing that can be read', () => ['{', 7, null, { v: 1 }]],
  ['calls itself what no subject can hold', (id) => [{ v: 1, id, member: 'x y\r\nPUB a 0\r\n', ...refusal }]],
  ['calls itself every member', (id) => [{ v: 1, id, member: '>', ...refusal }]],
  ['answers a generation with a count', (id) => [{ v: 1, id, member, kind: 'counted', info, tokens: 1 }]],
  ['answers another call', () => [{ v: 1, id: randomUUID(), member, ...generated }]],
  ['writes without end', (id) => [{ v: 1, id, member, ...generated, text: 'x'.repeat(3_000_000) }]],
  ['accepts, and is never heard of again', (id) => [{ v: 1, id, member, kind: 'accepted' }]],
  [
    'introduces itself at length',
    (id) => [
      { v: 1, member, host: 'h', models: [{ ...info, detail: 'x'.repeat(100_000) }] },
      { v: 1, id, member, ...refusal },
    ],
  ],
]

describe('a hostile model worker', () => {
  let world: ModelGroupWorld
  beforeAll(async () => {
    world = await startModelGroupWorld({ beat: 100, silence: 500, accept: 200, comeBack: 1000 })
  })
  afterAll(() => world.close())

  const request = { turns: [{ role: 'user' as const, text: 'Write' }], answerTokensMax: 10, temperature: 0 }
  const patience = () => ({ signal: AbortSignal.timeout(20_000) })
  const honest = (): ScriptedModel => {
    const model = createScriptedModel(['honest'])
    return { ...model, name: 'm', info: () => ({ ...model.info(), name: 'm' }) }
  }

  it.each(hostile)('that %s costs no call', async (what, words) => {
    const space = `hostile${hostile.findIndex(([each]) => each === what)}`
    await world.serveHostile(space, 'm', (id) => words(id).map((word) => JSON.stringify(word)))
    await world.serve(space, honest())
    const caller = await world.connect(space, 'm')
    // NATS picks: some of these come to the hostile one first.
    for (let call = 0; call < 6; call++) expect((await caller.generate(request, patience())).text).toBe('honest')
    expect(world.openCalls()).toBe(0)
  })

  it('refuses in few words, whatever it says', async () => {
    const error = { code: 'context_overflow', message: 'm'.repeat(100_000), details: { all: 'd'.repeat(100_000) } }
    await world.serveHostile('words', 'm', (id) => [JSON.stringify({ v: 1, id, member, kind: 'refused', info, error })])
    const caller = await world.connect('words', 'm')
    const refused = await caller.generate(request, patience()).catch((each: unknown) => each)
    expect(refused).toMatchObject({ code: 'context_overflow', details: undefined })
    expect(JSON.stringify(refused instanceof Error ? refused.message : '').length).toBeLessThan(3000)
  })

  it.each([
    ['a time that no timer takes', { time_left_ms: 1e300 }],
    ['a temperature without bounds', { request: { ...request, temperature: 1e300 } }],
  ])('cannot be taken down by %s', (_what, change) => {
    const ask = { v: 1, id: randomUUID(), model: 'm', time_left_ms: 1000, kind: 'generate', request }
    expect(v.is(ModelAsk, ask)).toBe(true)
    expect(v.is(ModelAsk, { ...ask, ...change })).toBe(false)
  })

  // NATS lets only model workers answer here; whoever runs NATS can let anybody.
  it.each(['unsigned', 'of a machine that another edge has enrolled'] as const)(
    'whose answers are %s is not heard, and costs no call',
    async (kind) => {
      const space = kind === 'unsigned' ? 'unsigned' : 'stranger'
      await world.serveHostile(
        space,
        'm',
        (id) => [JSON.stringify({ v: 1, id, member, ...generated })],
        kind === 'unsigned' ? 'nobody' : 'stranger',
      )
      await world.serve(space, honest())
      const caller = await world.connect(space, 'm')
      for (let call = 0; call < 6; call++) expect((await caller.generate(request, patience())).text).toBe('honest')
    },
  )

  it('is not asked by anybody but the repository worker of the workspace', async () => {
    const model = honest()
    await world.serve('asked', model)
    for (const who of ['nobody', 'stranger', 'model', 'elsewhere'] as const) await world.askAs(who, 'asked', 'm')
    expect(model.requests).toEqual([])
    await (await world.connect('asked', 'm')).generate(request, patience())
    expect(model.requests).toHaveLength(1)
  })
})
