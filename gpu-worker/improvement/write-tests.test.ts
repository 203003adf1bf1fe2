import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createImprovementWorld, type ImprovementWorld, manifest } from '#test/support/improvement-world.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'

const sum =
  'export function sum(list) {\n  let total = 0\n  for (const each of list) total += each\n  return total\n}\n'
const example = `import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { grade } from '../lib/grade.js'

test('grades', () => {
  equal(grade(95), 'A')
  equal(grade(75), 'B')
})
test('fails what is too little', () => equal(grade(10), 'F'))
`

let world: ImprovementWorld
beforeAll(async () => {
  world = await createImprovementWorld({
    'package.json': manifest,
    'lib/sum.js': sum,
    'lib/grade.js': 'export const grade = (points) => (points > 90 ? 1 : 2)\n',
    'test/grade.test.js': example,
  })
})
afterAll(() => world?.close())
afterEach(() => world.restore())

const block = (text: string): string => `\`\`\`javascript\n${text}\`\`\``
const scripted = (...script: string[]) => createScriptedModel(script)
describe('generate_tests', { timeout: 120_000 }, () => {
  const write = { action: 'generate_tests', path: 'lib/sum.js' } as const
  const head =
    "import { equal } from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { sum } from '../lib/sum.js'\n\n"
  const good = `${head}test('adds', () => equal(sum([1, 2]), 3))\ntest('runs', () => equal(typeof sum([]), 'number'))\n`

  it('keeps tests that pass, and fail when the code is broken', async () => {
    const model = scripted(block(good))
    const outcome = await world.improve(model, write)
    expect(world.repository.read('test/sum.test.js')).toBe(good)
    expect(outcome).toMatchObject({
      path: 'test/sum.test.js',
      before: null,
      tests: { runner: 'node', before: null, after: { passed: 2, failed: 0, skipped: 0 } },
      mutants: { tried: 3, killed: 3, survived: [] },
      proof: [{ rule: 'tests', proven: true }],
    })
    const prompt = model.requests[0]?.turns.at(-1)?.text
    expect(prompt).toContain('### `lib/sum.js` (read only)')
    expect(prompt).toContain('### `test/grade.test.js` (read only)')
    expect(prompt).toContain(
      'Write tests for `lib/sum.js` with `node:test` and `node:assert/strict`: import it from `../lib/sum.js`. Test `sum`',
    )
  })

  it('writes the first tests of a repository', async () => {
    await world.repository.git('rm', '--quiet', 'test/grade.test.js')
    const beside = good.replace('../lib/', './')
    const outcome = await world.improve(scripted(block(beside)), write)
    expect(outcome).toMatchObject({ path: 'lib/sum.test.js', tests: { runner: 'node', before: null } })
    expect(world.repository.read('lib/sum.test.js')).toBe(beside)
  })

  it('writes them where the rules of the repository want them', async () => {
    const rule = { files: 'lib/*.js', tests: ['checks/{name}.test.js'] }
    world.repository.write('millwright.json', JSON.stringify({ checks: { missing_tests: [rule] } }))
    expect((await world.improve(scripted(block(good)), write)).path).toBe('checks/sum.test.js')
  })

  it('names the new tests that nothing could make fail', async () => {
    const idle = `${good}test('is', () => {})\n`
    const { mutants } = await world.improve(scripted(block(idle)), write)
    expect(mutants?.idle_tests).toEqual([expect.stringContaining('is')])
  })

  it.each([
    ['cannot fail', `${head}test('runs', () => { sum([1, 2]) })\n`, 'These tests cannot fail'],
    ['assert nothing of the code', `${head}test('is', () => equal(1, 1))\n`, 'These tests cannot fail'],
    ['fail', good.replace('3', '4'), 'The test '],
    [
      'look at how the code is written',
      `${head}import { readFileSync } from 'node:fs'\ntest('is', () => equal(readFileSync('lib/sum.js', 'utf8').length, ${sum.length}))\n`,
      'With a comment more in the code',
    ],
    ['do not run', `${head}export const x = sum([1])\n`, ''],
  ])('does not keep tests that %s', async (_what, text, message) => {
    const refusal = await world.refusal(scripted(block(text)), write)
    expect(refusal).toMatchObject({ code: 'checks_failed', message: expect.stringContaining(`tests: ${message}`) })
    expect(world.repository.exists('test/sum.test.js')).toBe(false)
    expect(world.repository.read('lib/sum.js')).toBe(sum)
  })

  it('keeps the tests that are there', async () => {
    world.repository.write('test/sum.test.js', `${head}test('of one', () => equal(sum([7]), 7))\n`)
    const refusal = await world.refusal(scripted(block(good)), write)
    expect(refusal.message).toContain('tests: Keep the tests that were there: ')
    const both = `${good}test('of one', () => equal(sum([7]), 7))\n`
    expect((await world.improve(scripted(block(both)), write)).tests).toMatchObject({
      before: { passed: 1 },
      after: { passed: 3 },
    })
  })

  it('minds who owns the file of tests, and reads the code of anybody', async () => {
    world.owners.set('lib/sum.js', 'summer').set('test/sum.test.js', 'tester')
    expect((await world.refusal(scripted(block(good)), write)).code).toBe('not_owner')
    const tester = { id: 'tester', file: 'test/sum.test.js' }
    expect((await world.improve(scripted(block(good)), { ...write, agent: tester })).changed).toBe(true)
  })

  it('writes no tests of tests, nor of what nothing can break', async () => {
    const model = scripted(block(good))
    expect((await world.refusal(model, { ...write, path: 'test/grade.test.js' })).code).toBe('invalid_input')
    world.repository.write('lib/limit.js', 'export const LIMIT = 3\n')
    expect((await world.refusal(model, { ...write, path: 'lib/limit.js' })).code).toBe('invalid_input')
    expect(model.requests).toEqual([])
  })
})
