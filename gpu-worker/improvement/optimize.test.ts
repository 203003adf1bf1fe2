import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createImprovementWorld, type ImprovementWorld, manifest } from '#test/support/improvement-world.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'

const slow = 'export const rest = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)\n'

let world: ImprovementWorld
beforeAll(async () => {
  world = await createImprovementWorld({
    'package.json': manifest,
    'lib/rest.js': slow,
    'bench.js': "import { rest } from './lib/rest.js'\nrest()\n",
  })
})
afterAll(() => world?.close())
afterEach(() => world.restore())

const block = (text: string): string => `\`\`\`javascript\n${text}\`\`\``
const scripted = (...script: string[]) => createScriptedModel(script)
describe('optimize_performance', { timeout: 120_000 }, () => {
  const fast = slow.replace('200', '1')
  const optimize = { action: 'optimize_performance', measure: null, path: 'lib/rest.js' } as const
  const measure = { name: 'rest', run: ['node', 'bench.js'], runs: 6 }
  const configure = (...measures: object[]) => world.repository.write('millwright.json', JSON.stringify({ measures }))

  it('keeps what takes less time, and tells both times', async () => {
    configure(measure)
    const outcome = await world.improve(scripted(block(fast)), optimize)
    expect(world.repository.read('lib/rest.js')).toBe(fast)
    const { measurement } = outcome
    expect(measurement).toMatchObject({ measure: 'rest', runs: 6 })
    expect(measurement?.before.median_ms).toBeGreaterThan(200)
    expect(measurement?.after.median_ms).toBeLessThan(measurement?.before.median_ms ?? 0)
    expect(measurement?.chance).toBeLessThan(0.01)
    expect(outcome.proof.map(({ rule }) => rule)).toEqual(['public_names', 'tests', 'measure'])
  })

  it.each([
    ['takes longer', slow.replace('200', '300'), 'This is not faster'],
    ['fails when it is measured', `if (process.uptime() > 0) throw new Error('no')\n${slow}`, 'fails with this file'],
  ])('does not keep what %s', async (_what, text, message) => {
    configure(measure)
    const refusal = await world.refusal(scripted(block(text)), optimize)
    expect(refusal).toMatchObject({ code: 'checks_failed', message: expect.stringContaining(`measure: `) })
    expect(refusal.message).toContain(message)
    expect(world.repository.read('lib/rest.js')).toBe(slow)
  })

  it('says how to configure a measure, and which there are, before the model is asked', async () => {
    const model = scripted(block(fast))
    const none = await world.refusal(model, optimize)
    expect(none).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining('"measures": [') })
    configure(measure, { ...measure, name: 'other' })
    expect(await world.refusal(model, optimize)).toMatchObject({
      code: 'invalid_input',
      hint: 'Name one of "rest", "other"',
    })
    expect((await world.refusal(model, { ...optimize, measure: 'third' })).message).toContain(
      'there is no measure "third"',
    )
    configure({ ...measure, run: ['no-such-program'] })
    expect((await world.refusal(model, optimize)).code).toBe('unavailable')
    configure({ ...measure, run: ['false'] })
    expect((await world.refusal(model, optimize)).message).toContain('fails before any change')
    expect(model.requests).toEqual([])
  })
})
