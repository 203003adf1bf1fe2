import { realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { createTestSuiteWorld, type TestSuiteWorld } from '#test/support/test-suite-world.ts'
import { createNoCommandRunner } from '../adapters/no-command-runner.ts'
import type { Candidate, CommandOutcome, CommandRunner } from '../ports/command-runner.ts'

// Real runs in the real sandbox, with the Node that runs this test: node:test is wherever Node is.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''
const sums = `export const add = (a, b) => a + b\n`
const test = `import test, { describe } from 'node:test'
import assert from 'node:assert'
import { add } from '../src/sums.mjs'

test('adds', () => assert.equal(add(1, 2), 3))
test('waits', { skip: 'for later' }, () => {})
describe('zero', () => {
  test('changes nothing', () => assert.equal(add(1, 0), 1))
})
`

describe.skipIf('missing' in bubblewrap)(`createTestSuite${title}`, () => {
  let world: TestSuiteWorld
  beforeAll(async () => {
    if ('missing' in bubblewrap) return
    const node = dirname(dirname(process.execPath))
    const files = { 'src/sums.mjs': sums, 'test/sums.test.mjs': test, 'README.md': '# Sums\n' }
    world = await createTestSuiteWorld(bubblewrap, files, node === '/usr' ? [] : [node])
  })
  afterAll(() => world?.repository.remove())

  const never = () => new AbortController().signal
  const run = (paths: string[] | null = null, candidates: Candidate[] = []) =>
    world.suite.run({ paths, candidates }, never())

  it('runs the tests that it finds, and changes nothing', async () => {
    const before = hashTree(world.repository.root)
    expect(await world.suite.find()).toEqual([
      { name: 'node', runner: 'node', folder: '', because: 'test/sums.test.mjs', obstacle: null },
    ])
    const told: string[] = []
    const result = await world.suite.run({ paths: null, candidates: [] }, never(), ({ message }) => told.push(message))
    expect(result).toMatchObject({ passed: 2, failed: 0, skipped: 1, failures: [], tests_left_out: 0, sandboxed: true })
    expect(result.tests.map(({ name, outcome }) => [name.replace('test/sums.test.mjs > ', ''), outcome])).toEqual([
      ['adds', 'passed'],
      ['waits', 'skipped'],
      ['zero > changes nothing', 'passed'],
    ])
    expect(result.runners).toMatchObject([
      { name: 'node', command: ['node', '--test', './test/sums.test.mjs'], passed: 2 },
    ])
    expect(told[0]).toBe('Running node')
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('runs them on texts that are not written yet', async () => {
    const before = hashTree(world.repository.root)
    const wrong = { path: 'src/sums.mjs', text: sums.replace('a + b', 'a - b') }
    const result = await run(null, [wrong])
    expect(result).toMatchObject({ passed: 1, failed: 1 })
    expect(result.failures).toMatchObject([
      { file: 'test/sums.test.mjs', line: 5, message: expect.stringContaining('-1') },
    ])
    const more = {
      path: 'test/deep/more.test.mjs',
      text: test.replace("'../src/", "'../../src/").replace('add(1, 2), 3', 'add(1, 2), 4'),
    }
    expect(await run(null, [more])).toMatchObject({ passed: 3, failed: 1, skipped: 2 })
    expect(await run(['test/deep'], [more])).toMatchObject({ passed: 1, failed: 1, skipped: 1 })
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('runs what it is asked for, and refuses what is no test', async () => {
    expect(await run(['test/sums.test.mjs'])).toMatchObject({ passed: 2 })
    expect(await run(['test'])).toMatchObject({ passed: 2 })
    for (const path of ['src', 'README.md', 'none', 'test/none.test.mjs'])
      await expect(run([path]), path).rejects.toMatchObject({ code: 'not_found' })
  })

  it('counts what cannot be loaded as a failed test', async () => {
    const broken = { path: 'src/sums.mjs', text: 'export const plus = 1\n' }
    const result = await run(null, [broken])
    expect(result).toMatchObject({ passed: 0, failed: 1 })
    expect(result.failures).toMatchObject([{ name: 'test/sums.test.mjs', file: 'test/sums.test.mjs' }])
    expect(result.output).toContain("does not provide an export named 'add'")
  })

  it('does not pass over a test file that ends before its tests', async () => {
    const program = { path: 'src/program.mjs', text: 'export const run = () => 1\nprocess.exit(0)\n' }
    const untested = {
      path: 'test/program.test.mjs',
      text: "import test from 'node:test'\nimport { run } from '../src/program.mjs'\ntest('runs', () => run())\n",
    }
    const helper = {
      path: 'test/helper.mjs',
      text: "import { mock } from 'node:test'\nexport const fake = () => mock.fn()\n",
    }
    const result = await run(null, [program, untested, helper])
    expect(result).toMatchObject({ passed: 2, failed: 1, skipped: 1 })
    expect(result.failures).toEqual([
      {
        name: 'test/program.test.mjs',
        file: 'test/program.test.mjs',
        line: null,
        message: expect.stringContaining('No test in it ran'),
      },
    ])
    await expect(run(['test/program.test.mjs'], [program, untested])).rejects.toMatchObject({ code: 'not_found' })
  })

  it('runs files whatever their names are', async () => {
    const names = ['[id]', 'a{b}', '@scope/(x)!', 'two words', "quote'd $(id)", 'st*r?', '-x', 'é']
    const candidates = names.map((name) => ({
      path: `test/${name}.test.mjs`,
      text: "import test from 'node:test'\ntest('runs', () => {})\n",
    }))
    expect(await run(null, candidates)).toMatchObject({ passed: names.length + 2, failed: 0 })
  })

  it('refuses a run without a test, or with none but skipped ones', async () => {
    const none = { path: 'test/sums.test.mjs', text: "import 'node:test'\n" }
    const skipped = { path: 'test/sums.test.mjs', text: "import test from 'node:test'\ntest.skip('later', () => {})\n" }
    for (const candidate of [none, skipped])
      await expect(run(null, [candidate])).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(
          /^Cannot tell whether the tests pass: node (found no test|skipped all 1 tests)$/,
        ),
      })
  })

  it('ends with its caller, in the middle of a test', async () => {
    const endless = {
      path: 'test/sums.test.mjs',
      text: "import test from 'node:test'\ntest('waits', () => { for (;;); })\n",
    }
    const cancel = new AbortController()
    const running = world.suite.run({ paths: null, candidates: [endless] }, cancel.signal, () =>
      setTimeout(() => cancel.abort(), 300),
    )
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('says that a test did not end', async () => {
    const endless = {
      path: 'test/sums.test.mjs',
      text: "import test from 'node:test'\ntest('waits', () => { for (;;); })\n",
    }
    const run = ['node', '--test', 'test/sums.test.mjs']
    world.repository.write(
      'millwright.json',
      JSON.stringify({ tests: [{ name: 'unit', runner: 'node', run, timeout_s: 1 }] }),
    )
    try {
      await expect(world.suite.run({ paths: null, candidates: [endless] }, never())).rejects.toMatchObject({
        code: 'timeout',
        message: 'Cannot finish the tests: unit was stopped: it did not end within 1 s',
      })
    } finally {
      world.repository.write('millwright.json', '{}')
    }
  })

  it('runs what the repository names, adds up, and asks each for its own files', async () => {
    const unit = { name: 'unit', runner: 'node', run: ['node', '--test', 'test/*.test.mjs'], files: 'test/*.mjs' }
    const deep = { name: 'deep', runner: 'node', run: ['node', '--test', 'test/deep/a.mjs'], files: 'test/deep/**' }
    world.repository.write('millwright.json', JSON.stringify({ tests: [unit, deep] }))
    const text = "import test from 'node:test'\ntest('is wrong', () => { throw new Error('deep') })\n"
    const candidates = [{ path: 'test/deep/a.mjs', text }]
    try {
      const result = await run(null, candidates)
      expect(result).toMatchObject({
        passed: 2,
        failed: 1,
        skipped: 1,
        runners: [
          { name: 'unit', passed: 2, failed: 0, command: unit.run },
          { name: 'deep', passed: 0, failed: 1, command: deep.run },
        ],
        failures: [{ name: 'deep: test/deep/a.mjs > is wrong', file: 'test/deep/a.mjs', line: 2 }],
      })
      expect(result.tests[0]?.name).toBe('unit: test/sums.test.mjs > adds')
      expect(result.output).toMatch(/^== unit ==\n[\s\S]*\n== deep ==\n/)
      expect((await run(['test/deep'], candidates)).runners.map(({ name }) => name)).toEqual(['deep'])
    } finally {
      world.repository.write('millwright.json', '{}')
    }
  })

  /** A runner that ends as it is told, with the report that it is told. */
  const told = (outcome: Partial<Extract<CommandOutcome, { kind: 'ended' }>>, text: string): CommandRunner => ({
    ...world.runner,
    run: async () => ({
      ...{ kind: 'ended', status: 0, output: 'printed\n', whole: '', root: '/r', durationMs: 1 },
      report: { bytes: text.length, text },
      ...outcome,
    }),
  })
  const good = '<testsuites><testcase name="a"/></testsuites>'
  const bad = '<testsuites><testcase name="a"><failure message="no"/></testcase></testsuites>'

  it.each<[string, Partial<Extract<CommandOutcome, { kind: 'ended' }>>, string, string]>([
    ['is missing', {}, '', 'it left no report'],
    ['is missing and the run failed', { status: 7 }, '', 'exit status 7, and it left no report'],
    ['is cut', {}, good.slice(0, -14), 'it is not well-formed XML'],
    ['is no XML', {}, 'all passed', 'it is not well-formed XML'],
    ['is another document', {}, '<html/>', 'it is no JUnit report but <html>'],
    ['is too long', { report: { bytes: 2e9, text: null } }, '', 'its report is too long (2000000000 bytes)'],
    ['tells of failures, and the status does not', {}, bad, 'its report tells of failed tests'],
    ['tells of no test, and the status is one of failure', { status: 1 }, '<testsuites/>', 'it ran no test'],
  ])('believes no report that %s', async (_what, outcome, text, reason) => {
    const suite = await world.suiteWith(told(outcome, text))
    await expect(suite.run({ paths: null, candidates: [] }, never())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(reason),
      details: { output: 'printed\n' },
    })
  })

  it('calls a run failed whose status says so, whatever the report says', async () => {
    const suite = await world.suiteWith(told({ status: 1 }, good))
    expect(await suite.run({ paths: null, candidates: [] }, never())).toMatchObject({
      passed: 1,
      failed: 1,
      failures: [{ name: '(node)', message: 'node ended with exit status 1 although no test failed: see its output' }],
    })
  })

  it('does not run more runners than anybody has', async () => {
    const candidates = Array.from({ length: 21 }, (_, at) => ({ path: `p${at}/jest.config.js`, text: '' }))
    await expect(run(null, candidates)).rejects.toMatchObject({
      code: 'too_large',
      message: 'Cannot run the tests: 22 test runners were found, limit 20',
    })
  })

  it('says what is missing: the sandbox and not the runner where nothing can run, else the runner', async () => {
    const without = await world.suiteWith(createNoCommandRunner('there is no sandbox: install one'))
    await expect(without.run({ paths: null, candidates: [] }, never())).rejects.toMatchObject({
      code: 'unavailable',
      hint: 'there is no sandbox: install one',
    })
    const nodeless = await world.suiteWith({
      ...world.runner,
      obstacle: async ([program]) => (program === 'node' ? 'the program node was not found' : null),
    })
    await expect(nodeless.run({ paths: null, candidates: [] }, never())).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringMatching(/^the program node was not found\. Install Node/),
    })
  })

  it('refuses a configuration that is wrong, and a repository without tests', async () => {
    world.repository.write('millwright.json', '{"tests": [{"name": "a", "runner": "mocha", "run": ["mocha"]}]}')
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('tests.0.runner'),
    })
    world.repository.write('millwright.json', '{}')
    await expect(run(null, [{ path: 'test/sums.test.mjs', text: 'x\n' }])).rejects.toMatchObject({
      code: 'not_found',
      message: 'Cannot run the tests: no test runner was found',
    })
  })
})

/** The packages of Millwright itself, which the sandbox is shown beside the Node that runs this. */
const packages = realpathSync(join(import.meta.dirname, '..', '..', 'node_modules'))

describe.skipIf('missing' in bubblewrap)(`createTestSuite with vitest${title}`, () => {
  let world: TestSuiteWorld
  beforeAll(async () => {
    if ('missing' in bubblewrap) return
    const files = {
      'package.json': '{"type": "module", "devDependencies": {"vitest": "5"}}',
      'vitest.config.ts':
        "import { defineConfig } from 'vitest/config'\nexport default defineConfig({ test: { testTimeout: 9000 } })\n",
      'src/sums.ts': 'export const add = (a: number, b: number): number => a + b\n',
      'src/sums.test.ts':
        "import { expect, it } from 'vitest'\nimport { add } from './sums.ts'\n\nit('adds', () => {\n  expect(add(1, 2)).toBe(3)\n})\n",
      'other/sums.test.ts':
        "import { it } from 'vitest'\nit.skip('later', () => undefined)\nit('is there', () => undefined)\n",
    }
    world = await createTestSuiteWorld(bubblewrap, files, [packages, dirname(dirname(process.execPath))])
    symlinkSync(packages, join(world.repository.root, 'node_modules'))
  })
  afterAll(() => world?.repository.remove())
  const run = (paths: string[] | null, candidates: Candidate[] = []) =>
    world.suite.run({ paths, candidates }, new AbortController().signal)

  it('runs all tests or some, in a repository that it cannot write to', async () => {
    const before = hashTree(world.repository.root)
    expect(await run(null)).toMatchObject({ passed: 2, failed: 0, skipped: 1, runners: [{ command: ['vitest'] }] })
    const some = await run(['src/sums.test.ts'])
    expect(some.tests).toEqual([{ name: 'src/sums.test.ts > adds', outcome: 'passed' }])
    expect((await run(['other'])).tests).toHaveLength(2)
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('tells what fails, and what cannot be loaded', async () => {
    const wrong = { path: 'src/sums.ts', text: 'export const add = (a: number, b: number): number => a - b\n' }
    expect(await run(null, [wrong])).toMatchObject({
      passed: 1,
      failed: 1,
      failures: [{ name: 'src/sums.test.ts > adds', file: 'src/sums.test.ts', line: 5 }],
    })
    const broken = { path: 'src/sums.ts', text: 'export const add = (\n' }
    expect((await run(null, [broken])).failures).toMatchObject([{ name: 'src/sums.test.ts', file: 'src/sums.test.ts' }])
  })

  it('does not pass for an error outside all tests', async () => {
    const text =
      "import { it } from 'vitest'\nit('passes', () => { setTimeout(() => { throw new Error('too late') }) })\n"
    const result = await run(['src/late.test.ts'], [{ path: 'src/late.test.ts', text }])
    expect(result.failed).toBeGreaterThan(0)
    expect(result.output).toContain('too late')
  })
})
