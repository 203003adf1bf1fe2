import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import type { Fields } from '#test/support/mcp.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// run_tests over MCP: the worker as it is, the real sandbox, and the runner that is wherever Node is.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''
const head = `import test from 'node:test'\nimport assert from 'node:assert'\n`
const sums = `${head}import { add } from '../src/sums.mjs'
test('adds', () => assert.equal(add(1, 2), 3))
test('is fast', { skip: 'for later' }, () => {})
`
/** Where a runner finds the file for its report. */
const report = '/tmp/.millwright-report'

describe.skipIf('missing' in bubblewrap)(`run_tests${title}`, { timeout: 60_000 }, () => {
  let world: TestStack
  const before = process.env.MILLWRIGHT_BWRAP
  beforeAll(async () => {
    if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
    world = await startTestStack({
      files: {
        'src/sums.mjs': 'export const add = (a, b) => a + b\n',
        'test/sums.test.mjs': sums,
        'README.md': '# Sums\n',
      },
    })
    world.repository.write('.env', 'TOKEN=topsecret\n')
  })
  afterAll(async () => {
    if (before === undefined) delete process.env.MILLWRIGHT_BWRAP
    else process.env.MILLWRIGHT_BWRAP = before
    await world?.stop()
  })

  const run = (args: Fields = {}) => world.client.call('run_tests', args)
  /** Runs one test file beside the others. */
  async function runOnly(text: string, args: Fields = {}) {
    world.repository.write('test/only.test.mjs', text)
    return run({ paths: ['test/only.test.mjs'], ...args })
  }

  it('answers with counts, and changes nothing', async () => {
    const hash = hashTree(world.repository.root)
    const answer = await run()
    expect(answer.fields).toEqual({
      job_id: expect.stringMatching(/^job_/),
      state: 'succeeded',
      passed: 1,
      failed: 0,
      skipped: 1,
      failures: [],
      runners: [
        {
          name: 'node',
          runner: 'node',
          command: ['node', '--test', './test/sums.test.mjs'],
          passed: 1,
          failed: 0,
          skipped: 1,
          duration_ms: expect.any(Number),
        },
      ],
      duration_ms: expect.any(Number),
      output: expect.stringContaining('adds'),
      sandboxed: true,
    })
    expect(answer.text).toMatch(/^1 passed, 0 failed, 1 skipped in \d+\.\d s \(node\)$/)
    expect(hashTree(world.repository.root)).toBe(hash)
  })

  it('answers with what failed, and where', async () => {
    const answer = await runOnly(`${head}test('is wrong', () => assert.equal(1, 2, 'one is not two'))\n`)
    expect(answer.fields).toMatchObject({
      passed: 0,
      failed: 1,
      failures: [
        {
          name: expect.stringMatching(/is wrong$/),
          file: 'test/only.test.mjs',
          line: 3,
          message: expect.stringContaining('one is not two'),
        },
      ],
    })
    expect(answer.text).toMatch(
      /^0 passed, 1 failed, 0 skipped in [\d.]+ s \(node\)\n- .*is wrong \(test\/only.test.mjs:3\)\n {4}one is not two\n/,
    )
    expect(answer.text).toContain('Output, its end:\n')
  })

  it('runs in the sandbox: nothing of what is protected, no network, nothing written', async () => {
    const hash = hashTree(world.repository.root)
    const answer = await runOnly(`${head}import { readFileSync, writeFileSync } from 'node:fs'
test('reads no secret', () => assert.equal(readFileSync('.env', 'utf8'), ''))
test('writes nothing', () => assert.throws(() => writeFileSync('src/sums.mjs', ''), /EROFS/))
test('reaches nobody', () => assert.rejects(fetch('http://127.0.0.1:1/')))
test('knows no token', () => assert.doesNotMatch(JSON.stringify(process.env), /TOKEN|SECRET|MILLWRIGHT/))
`)
    expect(answer.fields).toMatchObject({ passed: 4, failed: 0 })
    expect(JSON.stringify(answer)).not.toContain('topsecret')
    world.repository.write('test/only.test.mjs', '')
    expect(hashTree(world.repository.root)).not.toBe(hash)
  })

  it.each([
    ['outside_repository', '../test/sums.test.mjs'],
    ['outside_repository', '/etc/passwd'],
    ['invalid_input', '--import=./src/sums.mjs'],
    ['invalid_input', '-e'],
    ['invalid_input', 'test/*.mjs'],
    ['protected_path', '.env'],
    ['protected_path', '.git/config'],
    ['not_found', 'test/none.test.mjs'],
    ['not_found', 'README.md'],
    ['not_found', 'src/sums.mjs'],
  ])('refuses with %s to run %s', async (code, path) => {
    expect((await run({ paths: [path] })).error?.code).toBe(code)
  })

  it('takes files and folders however they are spelt', async () => {
    expect((await run({ paths: ['./test//sums.test.mjs'] })).fields).toMatchObject({ passed: 1, skipped: 1 })
    expect((await run({ paths: ['test/', 'test/sums.test.mjs'] })).fields).toMatchObject({ passed: 1, skipped: 1 })
  })

  it('never takes a run that ran no test for one that passed', async () => {
    for (const text of ['', `import 'node:test'\n`, `${head}test.skip('later', () => {})\n`])
      expect((await runOnly(text)).error?.code, text).toBe('not_found')
  })

  it.each<[string, string]>([
    [
      'writes over the report',
      `import { writeFileSync } from 'node:fs'
test('is wrong', () => { writeFileSync('${report}', '<testsuites><testcase name="all is well"/></testsuites>'.repeat(99)); assert.fail() })`,
    ],
    ['kills the runner', `test('is wrong', () => { process.kill(process.ppid, 'SIGKILL') })`],
    [
      'prints a report of its own',
      `test('is wrong', () => { console.log('<testsuites><testcase name="all is well"/></testsuites>'); process.exit(1) })`,
    ],
    ['leaves without a word', `process.exit(0)\ntest('is wrong', () => assert.fail())`],
  ])('is not fooled by a test that %s', async (_what, text) => {
    const answer = await runOnly(`${head}${text}\n`)
    if (answer.success) expect(Number(answer.fields.failed)).toBeGreaterThan(0)
    else expect(answer.error?.code).toMatch(/^(unavailable|not_found)$/)
    expect(answer.text).not.toMatch(/[1-9]\d* passed, 0 failed/)
  })

  it('shows names that could move a cursor as plain text', async () => {
    const answer = await runOnly(
      `${head}test('\\u001b[2J\\u202Ename\\r\\nnext', () => assert.fail('\\u001b[31mred\\u0007'))\n`,
    )
    expect(answer.fields).toMatchObject({ failed: 1 })
    expect(JSON.stringify(answer.fields.failures)).not.toMatch(/\\u001b|\\u0007|\\r|\u202e/)
  })

  it('is a job: waits no longer than it is told, goes on, and is there once for each key', async () => {
    const slow = `${head}test('takes a second', () => new Promise((done) => setTimeout(done, 1000)))\n`
    const first = await runOnly(slow, { wait_seconds: 0, idempotency_key: 'slow' })
    expect(first.fields).toMatchObject({ state: expect.stringMatching(/queued|running/) })
    const again = await run({ paths: ['test/only.test.mjs'], wait_seconds: 40, idempotency_key: 'slow' })
    expect(again.fields).toMatchObject({ job_id: first.fields.job_id, state: 'succeeded', passed: 1 })
    const job = await world.client.ok('get_job', { job_id: first.fields.job_id })
    expect(job).toMatchObject({ state: 'succeeded', result: { passed: 1, failed: 0 } })
  })

  it('stops when it is cancelled', async () => {
    const endless = `${head}test('never ends', () => { for (;;); })\n`
    const { fields } = await runOnly(endless, { wait_seconds: 1 })
    expect(fields.state).toBe('running')
    const begin = Date.now()
    await world.client.ok('cancel_job', { job_id: fields.job_id })
    const { state } = await world.client.ok('get_job', { job_id: fields.job_id, wait_seconds: 10 })
    expect(state).toBe('cancelled')
    // Far below the ten minutes of its limit; how far is not this test's to say.
    expect(Date.now() - begin).toBeLessThan(10_000)
  })

  it('says that a test did not end within the time that the repository gives it', async () => {
    const tests = [{ name: 'unit', runner: 'node', run: ['node', '--test', 'test/only.test.mjs'], timeout_s: 2 }]
    world.repository.write('millwright.json', JSON.stringify({ tests }))
    world.repository.write('test/only.test.mjs', `${head}test('never ends', () => { for (;;); })\n`)
    const answer = await run()
    expect(answer.error).toMatchObject({
      code: 'timeout',
      message: 'Cannot finish the tests: unit was stopped: it did not end within 2 s',
      hint: expect.stringContaining('Give paths'),
    })
    world.repository.write('millwright.json', '{}')
  })

  it('says what to configure where there are no tests, and what is wrong with the configuration', async () => {
    world.repository.write('millwright.json', '{"tests": [{"name": "unit", "runner": "node", "run": ["node"]}]}')
    const wrong = await run()
    expect(wrong.error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('tests.0.run: must have --test among its arguments'),
    })
    const tests = [{ name: 'none', runner: 'pytest', run: ['no-such-python', '-m', 'pytest'] }]
    world.repository.write('millwright.json', JSON.stringify({ tests }))
    expect((await run()).error).toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('the program no-such-python was not found'),
    })
    world.repository.write('millwright.json', '{}')
    world.repository.write('test/sums.test.mjs', '')
    world.repository.write('test/only.test.mjs', '')
    expect((await run()).error).toMatchObject({ code: 'not_found', hint: expect.stringContaining('under tests in') })
  })
})
