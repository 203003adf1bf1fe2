import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createNatsEvents } from '#gpu-worker/adapters/nats-events.ts'
import type { GenerateOptions, GenerateProgress, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { AppError } from '#shared/errors.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { jobEnd, jobReaches, until } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import { type SteeredWorker, startSteeredWorker } from '#test/support/steered-worker.ts'

// A cancel at each stage that a job has in the worker, and one that is made while the worker cannot hear it. What happens
// before (queued, in the stream) and with a real model is in jobs.test.ts.

const BEFORE = 'x = 1\n'
const AFTER = 'x = 2\n'

describe('a job that is cancelled', { timeout: 40_000 }, () => {
  let world: SteeredWorker
  /** Where the model stays until the call is aborted; null: it answers. */
  let stay: GenerateProgress['phase'] | null = null
  let aborted: number | null = null
  const heard: string[] = []
  let count = 0

  const model: LanguageModel = {
    ...createScriptedModel(['```python\nx = 2\n```']),
    generate: async (request, options) => {
      if (stay === null) return createScriptedModel([`\`\`\`python\n${AFTER}\`\`\``]).generate(request, options)
      return hang(stay, options)
    },
  }
  function hang(phase: GenerateProgress['phase'], { signal, onProgress }: GenerateOptions): Promise<never> {
    onProgress?.({ phase, tokens: 3, promptTokens: 1, promptTokensTotal: 1 })
    return new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        aborted = performance.now()
        reject(new AppError('cancelled', 'Cannot answer: its caller gave up'))
      }),
    )
  }

  beforeAll(async () => {
    world = await startSteeredWorker(model)
    createNatsEvents(world.connection, toWorkspaceId('steered'), world.trust).onCancel((job) => heard.push(job))
  })
  afterAll(() => world?.stop())
  beforeEach(() => {
    stay = null
    aborted = null
    for (const moment of ['checking', 'beforeWrite', 'afterWrite', 'lost'] as const) delete world.moments[moment]
  })

  async function give(): Promise<{ agent: string; file: string; job: string }> {
    const agent = `a${++count}`
    const file = `${agent}.py`
    world.repository.write(file, BEFORE)
    await world.client.ok('create_agent', { agent_id: agent, name: agent, managed_file: file, system_prompt: '' })
    const { job_id } = await world.client.ok('chat_with_agent', { agent_id: agent, message: 'Go', wait_seconds: 0 })
    return { agent, file, job: String(job_id) }
  }

  /** Cancels the job of the newest agent, and waits until the worker has heard of it. */
  async function cancelNewest(): Promise<void> {
    const { jobs } = await world.client.ok('list_jobs', { limit: 1 })
    const [newest] = jobs as { job_id: string }[]
    await world.client.ok('cancel_job', { job_id: newest?.job_id })
    await until(() => heard.includes(newest?.job_id ?? ''))
  }

  const nothingRuns = () =>
    until(async () => {
      const { workers, queue } = await world.client.ok('get_server_info', {})
      const { queued, running } = queue as Fields as { queued: number; running: number }
      return (workers as { jobs_running: number }[])[0]?.jobs_running === 0 && queued + running === 0
    })

  it.each([
    ['waits for a free place', 'queued'],
    ['waits for the model to be loaded', 'loading_model'],
    ['is shown to the model', 'prompt'],
    ['is written', 'generating'],
  ] as const)('while it %s leaves its file', async (_when, phase) => {
    stay = phase
    const { file, job } = await give()
    await jobReaches(world.client, job, phase)
    const askedAt = performance.now()
    await world.client.ok('cancel_job', { job_id: job })
    expect(await jobEnd(world.client, job)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } })
    expect((aborted ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(1000)
    expect(world.repository.read(file)).toBe(BEFORE)
    await nothingRuns()
  })

  it.each(['checking', 'beforeWrite'] as const)(
    'at the moment "%s" leaves its file, and tells the cost',
    async (moment) => {
      world.moments[moment] = cancelNewest
      const { file, job, agent } = await give()
      expect(await jobEnd(world.client, job)).toMatchObject({
        state: 'cancelled',
        error: { code: 'cancelled', details: { usage: { completion_tokens: expect.any(Number) } } },
      })
      expect(world.repository.read(file)).toBe(BEFORE)
      expect((await world.client.ok('get_agent_info', { agent_id: agent })).usage_total).toMatchObject({ jobs: 1 })
      await nothingRuns()
    },
  )

  it('after its write has done its work, and says so', async () => {
    world.moments.afterWrite = cancelNewest
    const { file, job } = await give()
    expect(await jobEnd(world.client, job)).toMatchObject({ state: 'succeeded', result: { changed: true } })
    expect(world.repository.read(file)).toBe(AFTER)
    await nothingRuns()
  })

  it.each(['cancel_job', 'delete_agent'] as const)(
    'by %s while NATS is away stops within a second after the worker is back',
    async (how) => {
      stay = 'generating'
      const { agent, file, job } = await give()
      await jobReaches(world.client, job, 'generating')
      const back = reconnected()
      await world.killNats()
      await world.client.ok(how, how === 'cancel_job' ? { job_id: job } : { agent_id: agent })
      await setTimeout(300)
      expect(aborted).toBe(null)
      await world.startNats()
      const backAt = await back
      await until(() => aborted !== null)
      // The edge connects anew on its own; the worker asks until it answers.
      expect((aborted ?? 0) - backAt).toBeLessThan(2000)
      expect((await jobEnd(world.client, job)).state).toBe('cancelled')
      expect(world.repository.read(file)).toBe(BEFORE)
      await nothingRuns()
    },
  )

  it('without the worker hearing of it stops with its next heartbeat', async () => {
    stay = 'generating'
    const { file, job } = await give()
    await jobReaches(world.client, job, 'generating')
    const lost: string[] = []
    world.moments.lost = lost
    await world.client.ok('cancel_job', { job_id: job })
    await until(() => aborted !== null)
    expect(lost).toEqual([job])
    expect((await jobEnd(world.client, job)).state).toBe('cancelled')
    expect(world.repository.read(file)).toBe(BEFORE)
  })

  it('is no call that takes long: that one is waited for', async () => {
    world.moments.checking = () => setTimeout(4500)
    const { success } = await world.client.call('write_file', { path: 'slow.py', content: 'x = 1\n' })
    expect(success).toBe(true)
  })

  /** When the worker's connection is there again. */
  async function reconnected(): Promise<number> {
    for await (const status of world.connection.status()) if (status.type === 'reconnect') return performance.now()
    throw new Error('The connection is closed')
  }
})
