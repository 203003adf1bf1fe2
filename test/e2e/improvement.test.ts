import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { type LiveStack, startLiveStack } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'

// The four improvements over MCP: the whole stack, the real sandbox and the repository's own tests; the model says what it is told.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''
const block = (text: string): string => `\`\`\`javascript\n${text}\`\`\``

const nested = `export function sign(n) {
  if (n !== 0) {
    if (n > 0) {
      return 'plus'
    } else {
      return 'minus'
    }
  }
  return 'zero'
}
`
const flat = `export function sign(n) {
  if (n > 0) return 'plus'
  return n < 0 ? 'minus' : 'zero'
}
`
const documented = `/** The sign of a number in words. */\n${flat}`
const head = "import { equal } from 'node:assert/strict'\nimport { test } from 'node:test'\n"
const tests = `${head}import { sign } from './sign.js'

test('zero', () => equal(sign(0), 'zero'))
test('plus', () => equal(sign(3), 'plus'))
test('minus', () => equal(sign(-3), 'minus'))
`
const halfTests = `${head}import { half } from './half.js'\n\ntest('half', () => equal(half(4), 2))\n`

describe.skipIf('missing' in bubblewrap)(`improvements over MCP${title}`, { timeout: 120_000 }, () => {
  let server: OpenAiServer
  let live: LiveStack
  const before = process.env.MILLWRIGHT_BWRAP
  beforeAll(async () => {
    if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
    const broken = flat.replace("'minus'", "'less'")
    const model = createScriptedModel([broken, broken, flat, documented, halfTests].map(block))
    server = await startOpenAiServer({ model })
    live = await startLiveStack({
      model: [`openai:${server.url}#demo`],
      files: {
        'package.json': '{ "type": "module", "scripts": { "test": "node --test" } }\n',
        'sign.js': nested,
        'sign.test.js': tests,
        'half.js': 'export function half(n) {\n  return n / 2\n}\n',
      },
    })
    await live.own('sign.js')
  })
  afterAll(async () => {
    if (before === undefined) delete process.env.MILLWRIGHT_BWRAP
    else process.env.MILLWRIGHT_BWRAP = before
    await live?.stop()
    await server?.close()
  })

  const improve = async (tool: string, args: Fields) =>
    (await live.client.ok(tool, args)) as unknown as ImprovementOutcome & { job_id: string; state: string }

  it('refactor_code does not keep what breaks a test, and hands out the candidate', async () => {
    const answer = await live.client.call('refactor_code', { agent_id: 'sign', goal: 'Reduce the nesting' })
    expect(answer.error).toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('tests: The test '),
      hint: expect.stringContaining('The file is as it was'),
      details: {
        job_id: expect.stringMatching(/^job_/),
        before: { nesting: 2 },
        after: { nesting: 1 },
        tests: { before: { passed: 3 }, after: { passed: 2, failed: 1 } },
        diff: expect.stringContaining("+  return n < 0 ? 'less' : 'zero'"),
      },
    })
    expect(live.repository.read('sign.js')).toBe(nested)
    expect((await live.client.ok('git_status', {})).files).toEqual([])
  })

  it('refactor_code keeps what is better and proven, and get_job tells it again', async () => {
    const args = { agent_id: 'sign', goal: 'Reduce the nesting', idempotency_key: 'flat' }
    const outcome = await improve('refactor_code', args)
    expect(outcome).toMatchObject({
      state: 'succeeded',
      changed: true,
      action: 'refactor_code',
      path: 'sign.js',
      before: { nesting: 2 },
      after: { nesting: 1 },
      tests: { before: { passed: 3 }, after: { passed: 3 } },
      proof: ['public_names', 'excuses', 'metrics', 'tests'].map((rule) => ({ rule, proven: true })),
      usage: { prompt_tokens: expect.any(Number) },
    })
    expect(live.repository.read('sign.js')).toBe(flat)
    expect((await improve('refactor_code', args)).job_id).toBe(outcome.job_id)
    const told = await live.client.call('get_job', { job_id: outcome.job_id })
    expect(told.text).toContain('- proven tests: all 3 tests that passed before pass (node)')
    expect(told.text).toMatch(/Figures: .*nesting 2 -> 1/)
    const { usage_total } = await live.client.ok('get_agent_info', { agent_id: 'sign' })
    expect(usage_total).toMatchObject({ jobs: 2 })
  })

  it('what was kept can be taken back', async () => {
    const args = { agent_id: 'sign', goal: 'Reduce the nesting', idempotency_key: 'flat' }
    const { job_id } = await improve('refactor_code', args)
    await live.client.ok('chat_with_agent', { agent_id: 'sign', message: 'Take it back', revert: job_id })
    expect(live.repository.read('sign.js')).toBe(nested)
    live.repository.write('sign.js', flat)
  })

  it('generate_documentation changes an owned file through its agent only', async () => {
    const refused = await live.client.call('generate_documentation', { path: 'sign.js' })
    expect(refused.error?.code).toBe('not_owner')
    const outcome = await improve('generate_documentation', { agent_id: 'sign' })
    expect(outcome).toMatchObject({ before: { missing_docs: 1 }, after: { missing_docs: 0 } })
    expect(live.repository.read('sign.js')).toBe(documented)
  })

  it('generate_tests writes beside code that no agent owns', async () => {
    const outcome = await improve('generate_tests', { path: 'half.js' })
    expect(outcome).toMatchObject({
      path: 'half.test.js',
      tests: { before: null, after: { passed: 1 } },
      mutants: { killed: 2, survived: [] },
    })
    expect(live.repository.read('half.test.js')).toBe(halfTests)
  })

  it('optimize_performance wants a measure', async () => {
    const answer = await live.client.call('optimize_performance', { agent_id: 'sign' })
    expect(answer.error).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining('"measures"') })
  })

  it('wants to know what is meant', async () => {
    expect((await live.client.call('generate_tests', {})).error?.message).toContain('give agent_id or path')
    expect((await live.client.call('refactor_code', { agent_id: 'gone', goal: 'x' })).error?.code).toBe('not_found')
  })
})
