import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BoundProcess } from '#scripts/bound-process.ts'
import { readEdgeKeys } from '#scripts/machines/edge-keys.ts'
import { writeLocalMachine } from '#scripts/machines/machine-file.ts'
import { createNodeService } from '#scripts/node-service.ts'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { dataFolderOf, jobEnd, jobReaches, type LiveStack, startLiveStack, until } from '#test/support/live-stack.ts'
import { modelProcessesOf, modelProcessOf } from '#test/support/processes.ts'

// A repository worker that has no model, and model workers as processes of their own that come, die and stand still.

const PRODUCER = 'Create a User model with id, name, email'

interface ModelWorker {
  readonly process: Pick<BoundProcess, 'pid' | 'kill' | 'exited'> & { stop(): Promise<unknown> }
  /** As `served_by` calls it. */
  readonly member: string
}

interface Served {
  readonly member: string
  readonly queued: number
}

describe('a repository worker without a model', { timeout: 120_000 }, () => {
  let live: LiveStack
  const workers: ModelWorker[] = []
  beforeAll(async () => {
    live = await startLiveStack({ model: [], roles: ['repository'], modelMayBeMissing: true })
  })
  afterAll(async () => {
    await Promise.all(workers.map(({ process }) => process.kill()))
    await live?.stop()
  })

  async function startModelWorker(): Promise<ModelWorker> {
    let member = ''
    const machineFile = join(live.repository.folder, 'model-worker.json')
    const edge = await readEdgeKeys(join(live.stack.dataFolder, 'edge', 'signing-key'))
    await writeLocalMachine(machineFile, edge, { role: 'model', workspace: '*' })
    const service = createNodeService({
      name: 'model',
      file: join(projectFolder, 'gpu-worker', 'main.ts'),
      args: ['--role', 'model', '--model', 'demo', '--models', live.repository.folder, '--threads', '1'],
      environment: () => ({ NATS_URL: live.stack.natsUrl('model'), MILLWRIGHT_MACHINE: machineFile }),
      log: (line) => {
        member = /Model worker (\S+) ready/.exec(line)?.[1] ?? member
      },
    })
    const process = await service.start(AbortSignal.timeout(30_000))
    const worker = { process, member }
    workers.push(worker)
    await until(async () => (await servedBy()).some((served) => served.member === member && served.state === 'ready'))
    return worker
  }

  async function servedBy(): Promise<(Served & { state: string })[]> {
    const { workers: all } = await live.client.ok('get_server_info', {})
    const [worker] = all as { models: { name: string; served_by?: (Served & { state: string })[] }[] }[]
    return worker?.models.find(({ name }) => name === 'demo')?.served_by ?? []
  }

  const create = (agent_id: string, model?: string) =>
    live.client.call('create_agent', {
      agent_id,
      name: agent_id,
      managed_file: `${agent_id}.py`,
      system_prompt: 'Generate data structures',
      ...(model === undefined ? {} : { model }),
    })

  interface Frozen {
    readonly agent: string
    readonly job: string
    /** Who writes the answer. */
    readonly at: ModelWorker
    /** The processes that stand still: those of all models. */
    readonly models: readonly number[]
  }

  /** A task whose answer is half written, with its models standing still. One that is faster than we are is given again. */
  async function freezeInTheMiddle(name: string): Promise<Frozen> {
    const alive = workers.filter((worker) => modelProcessesOf(worker.process.pid).length > 0)
    const models = await Promise.all(alive.map((worker) => modelProcessOf(worker.process.pid)))
    for (let attempt = 0; attempt < 20; attempt++) {
      const agent = `${name}${attempt}`
      await create(agent)
      const job = await live.submit(agent, PRODUCER)
      const progress = await jobReaches(live.client, job, 'generating').catch(() => null)
      for (const pid of models) process.kill(pid, 'SIGSTOP')
      if (progress === null || !(await isStillRunning(job))) {
        thaw(models)
        continue
      }
      let at: ModelWorker | undefined
      await until(async () => {
        const busy = (await servedBy()).find(({ queued }) => queued > 0)
        at = workers.find(({ member }) => member === busy?.member)
        return at !== undefined
      })
      if (at !== undefined) return { agent, job, at, models }
    }
    throw new Error('Every answer was faster than its observer')
  }

  /** Long enough for an answer that was on its way when its model was stopped. */
  async function isStillRunning(job: string): Promise<boolean> {
    await setTimeout(300)
    return (await live.client.ok('get_job', { job_id: job })).state === 'running'
  }

  const thaw = (models: readonly number[]) => {
    for (const pid of models) {
      try {
        process.kill(pid, 'SIGCONT')
      } catch {
        // It went with its worker.
      }
    }
  }

  function landed(path: string): number {
    const journal = new DatabaseSync(join(dataFolderOf(live.repository), 'worker', 'journal.sqlite'), {
      readOnly: true,
    })
    try {
      return journal.prepare(`SELECT 1 FROM writes WHERE state = 'landed' AND path = ?`).all(path).length
    } finally {
      journal.close()
    }
  }

  it('says at once that there is none, and refuses names that nobody serves', async () => {
    expect((await create('alone')).success).toBe(true)
    const refused = await live.client.call('chat_with_agent', { agent_id: 'alone', message: PRODUCER })
    expect(refused.error).toMatchObject({
      code: 'model_unavailable',
      hint: expect.stringContaining('--role model'),
    })
    expect((await create('early', 'demo')).error?.code).toBe('not_found')
    // Everything else goes on.
    expect((await live.client.ok('read_file', { path: 'README.md' })).line_count).toBeGreaterThan(0)
  })

  it('uses a model worker once one is there, and shows it', async () => {
    await startModelWorker()
    expect((await create('first', 'demo')).success).toBe(true)
    expect((await create('other', 'unheard-of')).error).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('demo'),
    })
    for (const agent_id of ['first', 'alone']) {
      const { usage } = await live.client.ok('chat_with_agent', { agent_id, message: PRODUCER })
      expect(usage).toMatchObject({ model: 'demo', completion_tokens: expect.any(Number) })
      expect(live.repository.read(`${agent_id}.py`)).toContain('class User:')
    }
    const info = await live.client.call('get_server_info', {})
    expect(info.text).toMatch(/Model demo: ready\. At \S+: Ready/)
  })

  it('has its job done by the other when one of two is killed in the middle of a generation', async () => {
    await startModelWorker()
    const { agent, job, at, models } = await freezeInTheMiddle('killed')
    at.process.kill()
    thaw(models)
    const killedAt = performance.now()
    expect(await jobEnd(live.client, job)).toMatchObject({
      state: 'succeeded',
      result: { changed: true, attempts: 1, usage: { model: 'demo' } },
    })
    expect(performance.now() - killedAt).toBeLessThan(15_000)
    expect(live.repository.read(`${agent}.py`)).toContain('class User:')
    expect(landed(`${agent}.py`)).toBe(1)
    expect((await live.client.ok('list_jobs', { agent_id: agent })).jobs).toHaveLength(1)
  })

  it('has it done by the other when one stands still, which does nothing more when it wakes', async () => {
    await startModelWorker()
    const { agent, job, at, models } = await freezeInTheMiddle('stopped')
    process.kill(-at.process.pid, 'SIGSTOP')
    thaw(models.filter((pid) => !modelProcessesOf(at.process.pid).includes(pid)))
    expect(await jobEnd(live.client, job)).toMatchObject({ state: 'succeeded', result: { changed: true } })
    // Those that come while it stands still go to the other, also where NATS asks it first.
    for (const message of ['Add a field age to User', 'Add a field city to User']) {
      expect((await live.client.ok('chat_with_agent', { agent_id: agent, message })).state).toBe('succeeded')
    }
    const text = live.repository.read(`${agent}.py`)
    const writes = landed(`${agent}.py`)
    process.kill(-at.process.pid, 'SIGCONT')
    await until(async () => {
      const served = await servedBy()
      return served.length === 2 && served.every(({ queued }) => queued === 0)
    })
    expect(live.repository.read(`${agent}.py`)).toBe(text)
    expect(landed(`${agent}.py`)).toBe(writes)
  })

  it('tells who writes to stop when the job is cancelled', async () => {
    const { agent, job, at, models } = await freezeInTheMiddle('cancelled')
    await live.client.ok('cancel_job', { job_id: job })
    expect((await jobEnd(live.client, job)).state).toBe('cancelled')
    thaw(models)
    await until(async () => (await servedBy()).find(({ member }) => member === at.member)?.queued === 0)
    expect(live.repository.exists(`${agent}.py`)).toBe(false)
  })

  it('says so in bounded time when all of them are killed, and works again when one comes', async () => {
    const { agent, job } = await freezeInTheMiddle('lost')
    const killedAt = performance.now()
    for (const { process } of workers) process.kill()
    expect(await jobEnd(live.client, job)).toMatchObject({ state: 'failed', error: { code: 'model_unavailable' } })
    expect(performance.now() - killedAt).toBeLessThan(20_000)
    expect(live.repository.exists(`${agent}.py`)).toBe(false)
    const askedAt = performance.now()
    const again = await live.client.call('chat_with_agent', { agent_id: agent, message: PRODUCER })
    expect(again.error?.code).toBe('model_unavailable')
    expect(performance.now() - askedAt).toBeLessThan(3000)

    await startModelWorker()
    await live.client.ok('chat_with_agent', { agent_id: agent, message: PRODUCER })
    expect(live.repository.read(`${agent}.py`)).toContain('class User:')
    expect(landed(`${agent}.py`)).toBe(1)
  })
})
