import { execFile } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OrchestrationReport } from '#shared/schemas/orchestration.ts'
import { createAnsweringModel } from '#test/support/answering-model.ts'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { type Asked, askedOf, improvableFiles, improvedAnswer } from '#test/support/improvable.ts'
import { jobEnd, type LiveStack, startLiveStack, until } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { createSeededRandom } from '#test/support/seeded-random.ts'
import { readWrites } from '#test/support/worker-journal.ts'

// Improving a small package over MCP: the whole stack in its processes, the real sandbox and the package's own tests. The model
// is a double behind an address, which says what the fixture has for it.

const run = promisify(execFile)
const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''
/** Repeats a run's moments: MILLWRIGHT_KILLS_SEED=123 npx vitest run test/e2e/orchestration.test.ts */
const SEED = Number(process.env.MILLWRIGHT_KILLS_SEED ?? Math.floor(Math.random() * 1_000_000))
const KILLS = 3
/** Some steps take this long, with the tests that judge them. */
const MOMENT_MS_MAX = 2500
const files = improvableFiles()
const documented = { goal: 'Document everything' }

/** What happens while the model writes. */
let onAsked: (asked: Asked) => Promise<void> = async () => {}

interface Running {
  readonly state: string
  readonly progress: { readonly steps?: readonly { path: string; action: string; state: string }[] } | null
}

describe.skipIf('missing' in bubblewrap)(`improving many files over MCP${title}`, { timeout: 240_000 }, () => {
  let server: OpenAiServer
  let live: LiveStack
  const before = process.env.MILLWRIGHT_BWRAP
  beforeAll(async () => {
    if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
    const model = createAnsweringModel(async (request) => {
      await onAsked(askedOf(request))
      return improvedAnswer(request)
    })
    server = await startOpenAiServer({ model })
  })
  beforeEach(async () => {
    onAsked = async () => {}
    const backoff = { firstMs: 100, maxMs: 100, healthyMs: 60_000 }
    live = await startLiveStack({ model: [`openai:${server.url}#demo`], files, backoff })
    return () => live.stop()
  })
  afterAll(async () => {
    if (before === undefined) delete process.env.MILLWRIGHT_BWRAP
    else process.env.MILLWRIGHT_BWRAP = before
    await server?.close()
  })

  const start = async (args: Fields): Promise<string> =>
    String((await live.client.ok('orchestrate_improvement', { ...args, wait_seconds: 0 })).job_id)
  const look = async (job_id: string) => (await live.client.ok('get_job', { job_id })) as unknown as Running
  const agents = async () => (await live.client.ok('list_agents', {})).total
  const changed = async () => (await live.repository.git('diff', '--name-only')).trim().split('\n')

  it('answers with the plan while it runs, and with the report at the end', async () => {
    const agent = { agent_id: 'pricing', name: 'P', managed_file: 'src/prices.js', system_prompt: 'You know prices' }
    await live.client.ok('create_agent', agent)
    const asked = Promise.withResolvers<void>()
    const seen = Promise.withResolvers<void>()
    onAsked = async () => {
      asked.resolve()
      await seen.promise
    }
    const job_id = await start(documented)
    await asked.promise
    await until(async () => (await look(job_id)).progress?.steps?.[0]?.state === 'running')
    const { progress } = await look(job_id)
    expect(progress?.steps).toEqual([
      { path: 'src/prices.js', action: 'generate_documentation', state: 'running' },
      { path: 'src/labels.js', action: 'generate_documentation', state: expect.stringMatching(/running|planned/) },
      { path: 'src/ranges.js', action: 'generate_documentation', state: expect.stringMatching(/running|planned/) },
    ])
    const meanwhile = await live.client.call('get_job', { job_id })
    expect(meanwhile.text).toContain('- running generate_documentation src/prices.js')
    const second = await live.client.call('orchestrate_improvement', documented)
    expect(second.error).toMatchObject({ code: 'busy', details: { retry_after_ms: 60_000 } })
    seen.resolve()

    const { state, result } = await jobEnd(live.client, job_id)
    expect(state).toBe('succeeded')
    expect(result).toMatchObject({ ended_by: 'done', kept: 3, tests: { after: { failed: 0 } } })
    const { text } = await live.client.call('get_job', { job_id })
    expect(text).toContain('3 of 3 steps kept; the plan is done')
    expect(text).toContain('- kept generate_documentation src/prices.js: ')
    expect(text).toContain('All tests that passed before the first step pass after the last')
    const { contents } = await live.client.client.readResource({ uri: `millwright://reports/jobs/${job_id}` })
    expect(contents[0]).toMatchObject({ text: expect.stringContaining('3 of 3 steps kept') })
    // The agent that was there is, and those that were made are not.
    expect(await agents()).toBe(1)
    await run(process.execPath, ['--test'], { cwd: live.repository.root })
  })

  it('is stopped by cancel_job in the middle of a step, and the report so far is with the job', async () => {
    const reached = Promise.withResolvers<void>()
    onAsked = async ({ path }) => {
      if (path !== 'src/labels.js') return
      reached.resolve()
      await new Promise(() => {})
    }
    const job_id = await start({ ...documented, paths: ['src/prices.js', 'src/labels.js'] })
    await reached.promise
    await until(async () => (await look(job_id)).progress?.steps?.[0]?.state === 'kept')
    await live.client.ok('cancel_job', { job_id })
    const { state, error } = await jobEnd(live.client, job_id)
    expect([state, error?.code]).toEqual(['cancelled', 'cancelled'])
    expect(error?.message).toContain('1 is kept')
    const report = error?.details?.report as OrchestrationReport
    expect(report).toMatchObject({ ended_by: 'stopped', kept: 1, used: { iterations: 1 } })
    expect(await changed()).toEqual(['src/prices.js'])
    expect(await agents()).toBe(0)
  })

  it(`survives kill -9 of its worker at random moments (MILLWRIGHT_KILLS_SEED=${SEED})`, async () => {
    const random = createSeededRandom(SEED)
    onAsked = () => setTimeout(200)
    const job_id = await start({})
    let heard = server.paths.length
    for (let kill = 0; kill < KILLS; kill++) {
      // The worker has the job again, and has asked the model.
      await until(
        async () => !['queued', 'running'].includes((await look(job_id)).state) || server.paths.length > heard,
        60_000,
      )
      await setTimeout(random.below(MOMENT_MS_MAX))
      if ((await look(job_id)).state !== 'running') break
      const { worker = Number.NaN } = live.stack.pids()
      process.kill(worker, 'SIGKILL')
      await until(() => live.stack.pids().worker !== undefined && live.stack.pids().worker !== worker)
      heard = server.paths.length
    }
    const { state, result, error } = await jobEnd(live.client, job_id)
    expect(state, JSON.stringify(error)).toBe('succeeded')
    const { steps, tests, kept } = result as unknown as OrchestrationReport
    const expected = new Map([
      ['src/labels.js refactor_code', 'not_kept'],
      ['src/slugs.js generate_tests', 'not_kept'],
    ])
    for (const step of steps) {
      // One under which the worker was killed each time is given up.
      if (step.note?.includes('stopped 3 times')) continue
      const what = `${step.path} ${step.action}`
      expect(step.state, `${what}: ${step.note}`).toBe(expected.get(what) ?? 'kept')
    }
    expect(steps).toHaveLength(7)
    expect(tests).toMatchObject({ broken: [], after: { failed: 0 } })
    // One write for each step that was kept, and nothing of any other.
    const writes = readWrites(live.repository)
    expect(writes.filter((write) => write.state === 'begun')).toEqual([])
    const landed = writes.filter((write) => write.state === 'landed')
    expect(landed).toHaveLength(kept)
    expect(new Set(landed.map((write) => write.job_id)).size).toBe(kept)
    expect(await agents()).toBe(0)
    await run(process.execPath, ['--test'], { cwd: live.repository.root })
  })
})
