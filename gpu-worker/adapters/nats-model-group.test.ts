import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type ModelGroupWorld, type ServedMember, startModelGroupWorld } from '#test/support/model-group-world.ts'
import { createScriptedModel, type ScriptedModel } from '#test/support/scripted-model.ts'
import type { GenerateOptions, GenerateRequest, LanguageModel } from '../ports/language-model.ts'

// Callers and model workers over a real NATS server; the models are doubles, since none can be made to hang or refuse.

const request: GenerateRequest = {
  turns: [{ role: 'user', text: 'Write' }],
  answerTokensMax: 10,
  temperature: 0,
  cacheKey: 'a1',
}
const patience = () => ({ signal: AbortSignal.timeout(20_000) })

const named = (model: ScriptedModel): ScriptedModel => ({
  ...model,
  name: 'm',
  info: () => ({ ...model.info(), name: 'm' }),
})

/** A model that a test steers. */
interface SteeredModel extends LanguageModel {
  /** What it was asked so far. */
  readonly asked: GenerateRequest[]
  /** Resolves with the signal of a generation that has begun and goes on until that is aborted. */
  readonly begun: Promise<AbortSignal>
}

function createHanging(onBegin: () => void = () => undefined): SteeredModel {
  const asked: GenerateRequest[] = []
  const begun = Promise.withResolvers<AbortSignal>()
  return {
    ...named(createScriptedModel(['x'])),
    asked,
    begun: begun.promise,
    generate: (asks, { signal, onProgress }: GenerateOptions) => {
      asked.push(asks)
      onProgress?.({ phase: 'generating', tokens: 1, promptTokens: 1, promptTokensTotal: 1 })
      begun.resolve(signal)
      onBegin()
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Cannot answer: stopped'))),
      )
    },
  }
}

const createAnswering = (text: string, during?: () => Promise<void>) =>
  named(createScriptedModel([during === undefined ? text : { text, during }]))

const createRefusing = (error: AppError): LanguageModel => ({
  ...named(createScriptedModel(['x'])),
  generate: () => Promise.reject(error),
})

describe('model workers of a group', () => {
  let world: ModelGroupWorld
  let count = 0
  const workspace = () => `space${++count}`
  beforeAll(async () => {
    // The figures of production over ten.
    world = await startModelGroupWorld({ beat: 100, silence: 500, accept: 200, comeBack: 500 })
  })
  afterAll(() => world.close())

  /** Serves one in whose hands the call is, and only then another: the group would pick either. */
  async function beginAtFirst(space: string, first: SteeredModel, second: LanguageModel) {
    const member = await world.serve(space, first)
    const caller = await world.connect(space, 'm')
    const call = caller.generate(request, patience())
    const signal = await first.begun
    await world.serve(space, second)
    return { member, call, signal, caller }
  }

  it('take over from one that is cut off in the middle, and the time until then counts as waiting', async () => {
    const first = createHanging()
    const second = createAnswering('taken over')
    const { member, call } = await beginAtFirst(workspace(), first, second)
    await member.connection.close()
    const { text, usage } = await call
    expect(text).toBe('taken over')
    expect(usage.queue_ms).toBeGreaterThan(400)
    expect([first.asked.length, second.requests.length]).toEqual([1, 1])
  })

  it('take over at once from one that stops in an orderly way', async () => {
    const second = createAnswering('handed on')
    const { member, call, signal } = await beginAtFirst(workspace(), createHanging(), second)
    await member.service.stop()
    expect((await call).text).toBe('handed on')
    expect(signal.aborted).toBe(true)
  })

  it('are tried one after the other where some are busy or broken, and the last refusal stands', async () => {
    const space = workspace()
    const busy = new AppError('busy', 'Cannot answer: full', { details: { retry_after_ms: 7 } })
    await world.serve(space, createRefusing(busy))
    await world.serve(space, createRefusing(new AppError('model_unavailable', 'Cannot answer: broken')))
    const caller = await world.connect(space, 'm')
    await expect(caller.generate(request, patience())).rejects.toMatchObject({
      code: expect.stringMatching(/busy|model_unavailable/),
      message: expect.stringMatching(/full|broken/),
    })
    await world.serve(space, createAnswering('free'))
    for (let round = 0; round < 5; round++) expect((await caller.generate(request, patience())).text).toBe('free')
  })

  it('are asked by name once one of the group has stood still: it takes no more turns', async () => {
    const space = workspace()
    const deaf = await world.serveDeaf(space, 'm')
    const caller = await world.connect(space, 'm')
    await world.serve(space, createAnswering('awake'))
    // NATS picks: sooner or later the one that stands still.
    await expect
      .poll(
        async () => {
          expect((await caller.generate(request, patience())).text).toBe('awake')
          return deaf.asked()
        },
        { timeout: 10_000 },
      )
      .toBe(1)
    for (let call = 0; call < 20; call++) expect((await caller.generate(request, patience())).text).toBe('awake')
    expect(deaf.asked()).toBe(1)
  })

  it('are not tried for what would be refused everywhere', async () => {
    const space = workspace()
    await world.serve(space, createRefusing(new AppError('context_overflow', 'Cannot fit')))
    const caller = await world.connect(space, 'm')
    await expect(caller.generate(request, patience())).rejects.toMatchObject({ code: 'context_overflow' })
  })

  it('are at most three that one call takes down', async () => {
    const space = workspace()
    const members: ServedMember[] = []
    const models = [0, 1, 2, 3].map((index) => createHanging(() => void members[index]?.connection.close()))
    for (const model of models) members.push(await world.serve(space, model))
    const caller = await world.connect(space, 'm')
    await expect(caller.generate(request, patience())).rejects.toMatchObject({
      code: 'model_unavailable',
      hint: expect.stringContaining('--role model'),
    })
    expect(models.map(({ asked }) => asked.length).sort()).toEqual([0, 1, 1, 1])
  })

  it('stop when the caller is gone without a word', async () => {
    const space = workspace()
    const model = createHanging()
    await world.serve(space, model)
    const caller = await world.connect(space, 'm')
    const giveUp = new AbortController()
    const call = expect(caller.generate(request, { signal: giveUp.signal })).rejects.toThrow()
    const signal = await model.begun
    await world.cutCaller()
    await expect.poll(() => signal.aborted).toBe(true)
    giveUp.abort()
    await call
  })

  it('tell two repositories’ agents of one name apart', async () => {
    const model = createAnswering('x')
    const spaces = [workspace(), workspace()]
    for (const space of spaces) {
      await world.serve(space, model)
      await (await world.connect(space, 'm')).generate(request, patience())
    }
    expect(model.requests.map(({ cacheKey }) => cacheKey)).toEqual(spaces.map((space) => `${space}/a1`))
  })

  it('are refused with too_large what the connection cannot carry, before it is sent', async () => {
    const space = workspace()
    const model = createAnswering('x')
    const { connection } = await world.serve(space, model)
    const caller = await world.connect(space, 'm')
    const text = 'x'.repeat(NATS_PAYLOAD_BYTES_MAX)
    const large = { ...request, turns: [{ role: 'user' as const, text }] }
    await expect(caller.generate(large, patience())).rejects.toMatchObject({ code: 'too_large' })
    await expect(caller.countTokens(text, patience().signal)).rejects.toMatchObject({ code: 'too_large' })
    // The connection lives, and so does the model's.
    expect((await caller.generate(request, patience())).text).toBe('x')
    expect(model.requests).toHaveLength(1)
    expect(connection.isClosed()).toBe(false)
  })

  it('are found by the name that a model has got since, as when the machine has chosen one', async () => {
    const space = workspace()
    let name = 'default'
    const model = createAnswering('chosen')
    const changing: LanguageModel = {
      ...model,
      get name() {
        return name
      },
      info: () => ({ ...model.info(), name }),
    }
    await world.serve(space, changing)
    const caller = await world.connect(space, 'm')
    await expect(caller.generate(request, patience())).rejects.toMatchObject({ code: 'model_unavailable' })
    name = 'm'
    await expect
      .poll(() => caller.generate(request, patience()).then(({ text }) => text, String), { timeout: 5000 })
      .toBe('chosen')
  })

  it('begin nothing for an ask that nobody stands by', async () => {
    const space = workspace()
    const model = createAnswering('x')
    await world.serve(space, model)
    await world.askAndLeave(space, 'm')
    expect(model.requests).toHaveLength(0)
    expect((await (await world.connect(space, 'm')).generate(request, patience())).text).toBe('x')
    expect(model.requests).toHaveLength(1)
  })

  it('are missed at once where there are none, and found when one comes', async () => {
    const space = workspace()
    const caller = await world.connect(space, 'm')
    const askedAt = performance.now()
    await expect(caller.generate(request, patience())).rejects.toMatchObject({
      code: 'model_unavailable',
      message: 'Cannot answer: no model worker serves "m"',
    })
    expect(performance.now() - askedAt).toBeLessThan(1000)
    expect(caller.info()).toMatchObject({ state: 'missing', served_by: [] })
    await world.serve(space, createAnswering('here'))
    expect((await caller.generate(request, patience())).text).toBe('here')
    expect(caller.info()).toMatchObject({ state: 'ready', served_by: [{ state: 'ready', queued: 0 }] })
  })
})

describe('a call at a model worker, with the times of production', { timeout: 30_000 }, () => {
  let world: ModelGroupWorld
  beforeAll(async () => {
    world = await startModelGroupWorld()
  })
  afterAll(() => world.close())

  it('is over there within a second after the caller cancels, long before silence would end it', async () => {
    const model = createHanging()
    await world.serve('cancelled', model)
    const caller = await world.connect('cancelled', 'm')
    const giveUp = new AbortController()
    const call = expect(caller.generate(request, { signal: giveUp.signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
    const signal = await model.begun
    giveUp.abort()
    await call
    await expect.poll(() => signal.aborted, { timeout: 1000, interval: 5 }).toBe(true)
    expect(world.openCalls()).toBe(0)
  })

  it('goes on through a restart of NATS', async () => {
    const model = createAnswering('survived', () => world.restartNats())
    await world.serve('restarted', model)
    const caller = await world.connect('restarted', 'm')
    expect((await caller.generate(request, patience())).text).toBe('survived')
    expect(model.requests).toHaveLength(1)
  })
})
