import { createHash } from 'node:crypto'
import { renameSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { processEnded } from '#scripts/test-support/process-ended.ts'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { JOBS_QUEUED_MAX } from '#shared/protocol/limits.ts'
import type { Checks } from '#shared/schemas/check.ts'
import { clientKinds, connectKind } from '#test/support/client-kinds.ts'
import {
  type EndedJob,
  jobEnd,
  jobReaches,
  type LiveStack,
  modelInfo,
  modelIsReady,
  QUICK_MODEL,
  SLOW_MODEL,
  startLiveStack,
  until,
} from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { callMessage, postMessage } from '#test/support/mcp-message.ts'
import { createTempRepository } from '#test/support/temp-repository.ts'

// Jobs through the whole system: real NATS, functions, worker, git, and a real model in a process of its own.

const PRODUCER = 'Create a User model with id, name, email'
const USER = 'class User:\n    def __init__(self, id: int, name: str, email: str) -> None:\n        self.id = id\n'
const DEADLINE_MS = 60_000

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('a job that is stopped', { timeout: DEADLINE_MS }, () => {
  let live: LiveStack
  const before = { 'a.py': 'a = 1\n', 'b.py': 'b = 1\n' }
  beforeAll(async () => {
    live = await startLiveStack({ model: SLOW_MODEL, files: before })
    await live.own('a.py', 'b.py', 'c.py', 'd.py', 'e.py')
  })
  afterAll(() => live.stop())
  afterEach(async () => {
    for (const state of ['queued', 'running']) {
      const { jobs } = await live.client.ok('list_jobs', { state })
      for (const { job_id } of jobs as { job_id: string }[]) await live.client.ok('cancel_job', { job_id })
    }
    await nothingRuns()
  })

  /** A job whose answer is being generated. */
  async function startGenerating(agent = 'a', more: Fields = {}): Promise<string> {
    const job = await live.submit(agent, 'Write on', more)
    await jobReaches(live.client, job, 'generating')
    return job
  }

  const nothingRuns = () =>
    until(async () => {
      const { queue } = await live.client.ok('get_server_info', {})
      const { queued, running } = queue as { queued: number; running: number }
      return queued + running === 0 && (await modelInfo(live.client))?.queued === 0
    })

  it('frees the model for the next job within a second, and leaves its file', async () => {
    // The model answers four at once.
    const job = await startGenerating('a')
    const others: string[] = []
    for (const agent of ['b', 'c', 'd']) others.push(await startGenerating(agent))
    const next = await live.submit('e', 'Write on')
    expect((await live.client.ok('get_job', { job_id: next })).state).toBe('queued')

    const cancelledAt = performance.now()
    const answer = await live.client.ok('cancel_job', { job_id: job })
    await jobReaches(live.client, next, 'prompt', 'generating')
    expect(performance.now() - cancelledAt).toBeLessThan(1000)

    expect(answer).toMatchObject({ job_id: job, cancel_requested: true })
    expect(await jobEnd(live.client, job)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } })
    expect(live.repository.read('a.py')).toBe(before['a.py'])
    for (const job_id of [...others, next]) {
      await live.client.ok('cancel_job', { job_id })
      expect((await jobEnd(live.client, job_id)).state).toBe('cancelled')
    }
  })

  it('ends at once while it is queued, and stays as it ended', async () => {
    // The worker takes four at once; the fifth stays in the queue.
    const jobs = [await startGenerating('a')]
    for (const agent of ['b', 'c', 'd', 'e']) jobs.push(await live.submit(agent, 'Write on'))
    await Promise.all(jobs.slice(1, 4).map((job) => jobReaches(live.client, job, 'generating')))
    const last = jobs.at(-1)
    expect((await live.client.ok('get_job', { job_id: last })).state).toBe('queued')

    expect(await live.client.ok('cancel_job', { job_id: last })).toMatchObject({ state: 'cancelled' })
    const ended = await live.client.ok('get_job', { job_id: last })
    expect(ended).toMatchObject({ state: 'cancelled', job: { error: { code: 'cancelled' } }, result: null })
    expect(await live.client.ok('cancel_job', { job_id: last })).toMatchObject({ state: 'cancelled' })
    expect(await live.client.ok('get_job', { job_id: last })).toEqual(ended)

    for (const job_id of jobs) await live.client.ok('cancel_job', { job_id })
    for (const job of jobs) expect((await jobEnd(live.client, job)).state).toBe('cancelled')
  })

  it.each(clientKinds)('was called by a client of the kind "%s" that gave up', async (kind) => {
    const client = await connectKind(kind, live.stack.url, live.stack.token)
    const giveUp = new AbortController()
    const refused = expect(
      client.call('chat_with_agent', { agent_id: 'a', message: `Write on, ${kind}` }, { signal: giveUp.signal }),
    ).rejects.toThrow()
    const job = await newestJob('a')
    await jobReaches(live.client, job, 'generating')
    const gaveUpAt = performance.now()
    giveUp.abort()
    await refused
    expect((await jobEnd(live.client, job)).state).toBe('cancelled')
    expect(performance.now() - gaveUpAt).toBeLessThan(1500)
    await client.close()
  })

  it('was cancelled while NATS was away', async () => {
    const job = await startGenerating()
    const { nats = 0 } = live.stack.pids()
    process.kill(nats, 'SIGKILL')
    await processEnded(nats)
    expect(await live.client.ok('cancel_job', { job_id: job })).toMatchObject({ cancel_requested: true })
    await until(() => live.stack.pids().nats !== undefined && live.stack.pids().nats !== nats)
    expect((await jobEnd(live.client, job)).state).toBe('cancelled')
    await nothingRuns()
    expect(live.repository.read('a.py')).toBe(before['a.py'])
  })

  it('was called over a connection that broke', async () => {
    const connection = new AbortController()
    const message = callMessage('chat_with_agent', { agent_id: 'a', message: 'Write on' })
    const response = await postMessage(live.stack.url, live.stack.token, message, connection.signal)
    expect(response.status).toBe(200)
    const job = await newestJob('a')
    await jobReaches(live.client, job, 'generating')
    connection.abort()
    expect((await jobEnd(live.client, job)).state).toBe('cancelled')
  })

  it('goes on without its caller where that gave an idempotency_key', async () => {
    const client = await connectKind('v2', live.stack.url, live.stack.token)
    const giveUp = new AbortController()
    const args = { agent_id: 'a', message: 'Write on', idempotency_key: 'mine' }
    const refused = expect(client.call('chat_with_agent', args, { signal: giveUp.signal })).rejects.toThrow()
    const job = await newestJob('a')
    const { tokens } = await jobReaches(live.client, job, 'generating')
    giveUp.abort()
    await refused
    await client.close()
    await until(async () => (await jobReaches(live.client, job, 'generating')).tokens > tokens)

    // The same task again is the same job, also while it runs; another one under this key is refused.
    expect(await live.client.ok('chat_with_agent', { ...args, wait_seconds: 0 })).toMatchObject({ job_id: job })
    const other = await live.client.call('chat_with_agent', { ...args, message: 'Another task' })
    expect(other.error?.code).toBe('conflict')
    await live.client.ok('cancel_job', { job_id: job })
    expect((await jobEnd(live.client, job)).state).toBe('cancelled')
  })

  it('had an agent that was deleted', async () => {
    await live.own('gone.py')
    const job = await startGenerating('gone')
    const deletedAt = performance.now()
    await live.client.ok('delete_agent', { agent_id: 'gone' })
    expect(await live.client.ok('get_job', { job_id: job })).toMatchObject({
      state: 'cancelled',
      job: { error: { code: 'cancelled' } },
    })
    await until(async () => (await modelInfo(live.client))?.queued === 0)
    expect(performance.now() - deletedAt).toBeLessThan(1000)
    expect(live.repository.exists('gone.py')).toBe(false)
  })

  it('has left every file as it was', async () => {
    for (const [path, text] of Object.entries(before)) expect(live.repository.read(path)).toBe(text)
    expect(await live.repository.git('status', '--porcelain')).toBe('')
  })

  /** The job of a call that has not answered yet. */
  async function newestJob(agent: string): Promise<string> {
    let found: string | undefined
    await until(async () => {
      const { jobs } = await live.client.ok('list_jobs', { agent_id: agent, limit: 1 })
      const [job] = jobs as { job_id: string; state: string }[]
      found = job?.state === 'queued' || job?.state === 'running' ? job.job_id : undefined
      return found !== undefined
    })
    return found ?? ''
  }
})

describe('a job that the model does', { timeout: DEADLINE_MS }, () => {
  let live: LiveStack
  beforeAll(async () => {
    live = await startLiveStack({ model: 'demo', files: { 'README.md': '# Sample\n', 'notes.txt': 'Notes\n' } })
  })
  afterAll(() => live.stop())

  const filler = '# The quick brown fox jumps over the lazy dog\n'

  it('answers with its id at once; get_job waits for the result', async () => {
    await live.own('user.py')
    const startedAt = performance.now()
    const { job_id, state, reply } = await live.client.ok('chat_with_agent', {
      agent_id: 'user',
      message: PRODUCER,
      wait_seconds: 0,
    })
    expect(performance.now() - startedAt).toBeLessThan(1000)
    expect(['queued', 'running']).toContain(state)
    expect(reply).toBeUndefined()
    const { result, error, job } = await jobEnd(live.client, String(job_id))
    expect(error).toBeNull()
    expect(result).toMatchObject({ changed: true, attempts: 1, checks: { passed: true }, proposal_id: null })
    expect(job).toMatchObject({ job_id, tool: 'chat_with_agent', agent_id: 'user', state: 'succeeded' })
    expect(live.repository.read('user.py')).toContain('class User')
    expect(result?.sha256).toBe(sha256(live.repository.read('user.py')))

    const cancelled = await live.client.ok('cancel_job', { job_id })
    expect(cancelled).toEqual({ job_id, state: 'succeeded', cancel_requested: false })
    expect((await live.client.ok('get_job', { job_id })).result).toEqual(result)
    expect((await live.client.call('get_job', { job_id: `${String(job_id).slice(0, -4)}0000` })).error?.code).toBe(
      'not_found',
    )
  })

  it('is one job for one idempotency_key, with one result', async () => {
    await live.own('once.py')
    const args = { agent_id: 'once', message: PRODUCER, idempotency_key: 'k1' }
    const [one, two] = await Promise.all([
      live.client.ok('chat_with_agent', args),
      live.client.ok('chat_with_agent', args),
    ])
    expect(two).toEqual(one)
    expect(await live.client.ok('chat_with_agent', { ...args, wait_seconds: 1 })).toEqual(one)
    const other = await live.client.call('chat_with_agent', { ...args, mode: 'propose' })
    expect(other.error?.code).toBe('conflict')
    expect((await live.client.ok('list_jobs', { agent_id: 'once' })).jobs).toHaveLength(1)
  })

  it('waits for the earlier ones of its agent, and finds the file as they left it', async () => {
    await live.own('turns.py', 'beside.py')
    const jobs: string[] = []
    for (const field of ['age', 'city', 'phone']) {
      jobs.push(await live.submit('turns', `Create a User model with id, ${field}`))
    }
    const other = await live.submit('beside', PRODUCER)
    const ends = await Promise.all([...jobs, other].map((job) => jobEnd(live.client, job)))
    expect(ends.map(({ state, error }) => [state, error])).toEqual(ends.map(() => ['succeeded', null]))
    const [, second, third] = ends
    expect(String(second?.result?.diff)).toMatch(/^-.*age/m)
    expect(String(third?.result?.diff)).toMatch(/^-.*city/m)
    expect(live.repository.read('turns.py')).toContain('phone')
    const times = ends.map(({ job }) => [String(job.started_at), String(job.finished_at)])
    for (const [index, [startedAt]] of times.slice(1, 3).entries()) {
      expect(startedAt?.localeCompare(times[index]?.[1] ?? '')).toBeGreaterThanOrEqual(0)
    }
  })

  it('is listed by state and agent, page by page, newest first', async () => {
    await live.own('listed.py')
    for (const field of ['age', 'city', 'phone']) {
      await live.client.ok('chat_with_agent', { agent_id: 'listed', message: `Create a User model with id, ${field}` })
    }
    const ids: string[] = []
    let cursor: unknown
    do {
      const page: Fields = await live.client.ok('list_jobs', {
        agent_id: 'listed',
        state: 'succeeded',
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      })
      ids.push(...(page.jobs as { job_id: string }[]).map((job) => job.job_id))
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    expect(ids).toHaveLength(3)
    expect(ids).toEqual(ids.toSorted().reverse())
    expect((await live.client.ok('list_jobs', { agent_id: 'listed', state: 'failed' })).jobs).toEqual([])
    expect((await live.client.call('list_jobs', { cursor: 'nonsense' })).error?.code).toBe('invalid_input')
  })

  it('answers in words and changes nothing in mode ask', async () => {
    await live.own('asked.py')
    live.repository.write('asked.py', USER)
    const answer = await live.client.ok('chat_with_agent', { agent_id: 'asked', message: PRODUCER, mode: 'ask' })
    expect(String(answer.reply).length).toBeGreaterThan(0)
    expect(answer).toMatchObject({ state: 'succeeded', changed: false, diff: '', checks: null, proposal_id: null })
    expect(live.repository.read('asked.py')).toBe(USER)
  })

  it('writes what it proposed byte for byte once that is accepted, and only once', async () => {
    await live.own('proposed.py', 'stranger.py')
    const proposed = await live.client.ok('chat_with_agent', {
      agent_id: 'proposed',
      message: PRODUCER,
      mode: 'propose',
    })
    expect(proposed).toMatchObject({ changed: false, checks: { passed: true }, proposal_id: proposed.job_id })
    expect(String(proposed.diff)).toContain('+class User')
    expect(live.repository.exists('proposed.py')).toBe(false)

    const accept = { agent_id: 'proposed', message: 'Take it', accept: proposed.proposal_id }
    const stolen = await live.client.call('chat_with_agent', { ...accept, agent_id: 'stranger' })
    expect(stolen.error?.code).toBe('not_found')
    expect(live.repository.exists('stranger.py')).toBe(false)

    const accepted = await live.client.ok('chat_with_agent', accept)
    expect(accepted).toMatchObject({ changed: true, diff: proposed.diff, sha256: proposed.sha256, attempts: 0 })
    expect(sha256(live.repository.read('proposed.py'))).toBe(proposed.sha256)

    const text = live.repository.read('proposed.py')
    const again = await live.client.call('chat_with_agent', accept)
    expect(again.error?.code).toBe('conflict')
    expect(live.repository.read('proposed.py')).toBe(text)
  })

  it('leaves what a person wrote after it had proposed', async () => {
    await live.own('overtaken.py')
    const { proposal_id } = await live.client.ok('chat_with_agent', {
      agent_id: 'overtaken',
      message: PRODUCER,
      mode: 'propose',
    })
    live.repository.write('overtaken.py', 'mine = True\n')
    const refused = await live.client.call('chat_with_agent', {
      agent_id: 'overtaken',
      message: 'Take it',
      accept: proposal_id,
    })
    expect(refused.error?.code).toBe('conflict')
    expect(live.repository.read('overtaken.py')).toBe('mine = True\n')
  })

  it('leaves what a person wrote while it was generated', async () => {
    await live.own('person.py')
    let wrote = false
    const refused = await live.client.call(
      'chat_with_agent',
      { agent_id: 'person', message: PRODUCER },
      {
        onprogress: ({ message }) => {
          // The worker has read the file by the time when the model is shown the task.
          if (wrote || !/^(Showing|Writing)/.test(message ?? '')) return
          wrote = true
          live.repository.write('person.py', 'mine = True\n')
        },
      },
    )
    expect(wrote).toBe(true)
    expect(refused.error?.code, JSON.stringify(refused)).toBe('conflict')
    expect(live.repository.read('person.py')).toBe('mine = True\n')
  })

  it('changes nothing once its agent was deleted, whatever the model still says', async () => {
    await live.own('late.py')
    const { worker = 0 } = live.stack.pids()
    let stopped = false
    const chat = live.client.call(
      'chat_with_agent',
      { agent_id: 'late', message: PRODUCER },
      {
        onprogress: ({ message }) => {
          // The model writes on while the worker stands still: its answer and the news of the deletion race.
          if (stopped || !/^(Showing|Writing)/.test(message ?? '')) return
          stopped = process.kill(worker, 'SIGSTOP')
        },
      },
    )
    await until(() => stopped)
    await live.client.ok('delete_agent', { agent_id: 'late' })
    process.kill(worker, 'SIGCONT')
    expect((await chat).error?.code).toBe('cancelled')
    await until(async () => {
      const { workers } = await live.client.ok('get_server_info', {})
      return (workers as { jobs_running: number }[])[0]?.jobs_running === 0
    })
    expect(live.repository.exists('late.py')).toBe(false)
  })

  it.each([
    ['not_found', 'missing.py'],
    ['protected_path', '.env'],
    ['outside_repository', '../outside.py'],
  ])('is refused with %s for the context file %s, before any token', async (code, path) => {
    const agent = `context-${code}`
    const managed_file = `${code}.py`
    await live.client.ok('create_agent', { agent_id: agent, name: agent, managed_file, system_prompt: '' })
    const refused = await live.client.call('chat_with_agent', { agent_id: agent, message: PRODUCER, context: { path } })
    expect(refused.error?.code).toBe(code)
    expect(refused.error?.details).not.toHaveProperty('usage')
    expect(live.repository.exists(managed_file)).toBe(false)
    expect(JSON.stringify(refused)).not.toContain(live.repository.folder)
  })

  it('names the sizes where the task does not fit the model', async () => {
    await live.own('small.py')
    live.repository.write('long.py', filler.repeat(200))
    const refused = await live.client.call('chat_with_agent', {
      agent_id: 'small',
      message: PRODUCER,
      context: { long: 'long.py' },
    })
    expect(refused.error).toMatchObject({ code: 'context_overflow', details: { context_tokens: 2048 } })
    const { prompt_tokens, answer_tokens_max } = (refused.error?.details ?? {}) as Record<string, number>
    expect(prompt_tokens).toBeGreaterThan(2048)
    expect(refused.error?.message).toContain(
      `prompt of ${prompt_tokens} tokens and answer of up to ${answer_tokens_max}`,
    )
    expect(refused.error?.hint).toBeTruthy()
  })

  it('says what it tried where nothing that it wrote passes the checks', async () => {
    await live.own('broken.py')
    live.repository.write('broken.py', USER)
    const refused = await live.client.call('chat_with_agent', {
      agent_id: 'broken',
      // Nothing that the demo model was taught: it writes half a Python file.
      message: 'Write a Rust program',
    })
    expect(refused.error?.code, JSON.stringify(refused)).toBe('checks_failed')
    const { checks, diff, attempts, usage, job_id } = (refused.error?.details ?? {}) as {
      checks: Checks
      diff: string
      attempts: number
      usage: Record<string, number>
      job_id: string
    }
    expect(checks.passed).toBe(false)
    expect(checks.violations.length).toBeGreaterThan(0)
    expect(checks.violations[0]?.message.length).toBeGreaterThan(10)
    expect(typeof diff).toBe('string')
    expect(attempts).toBeGreaterThanOrEqual(2)
    expect(usage.completion_tokens).toBeGreaterThan(0)
    expect(live.repository.read('broken.py')).toBe(USER)
    expect(await live.client.ok('get_job', { job_id })).toMatchObject({
      state: 'failed',
      job: { error: { code: 'checks_failed' } },
    })
  })
})

describe('without a model', { timeout: DEADLINE_MS }, () => {
  it.concurrent.each(['missing', 'corrupt'])('the stack serves the rest, and says why: %s file', async (how) => {
    const repository = await createTempRepository({ 'a.py': 'a = 1\n' })
    const model = join(repository.folder, 'model.gguf')
    if (how === 'corrupt') truncateSync(model, (await writeTinyModel(model, QUICK_MODEL)) - 40_000)
    const live = await startLiveStack({ model, repository, modelMayBeMissing: true })
    try {
      await until(async () => (await modelInfo(live.client))?.state !== 'loading')
      const info = await modelInfo(live.client)
      expect(info?.state).toBe(how === 'missing' ? 'missing' : 'failed')
      expect(info?.detail).toContain(how === 'missing' ? 'there is no such file' : 'truncated')
      expect(info?.detail).not.toContain(repository.folder)

      await live.own('a.py')
      const refused = await live.client.call('chat_with_agent', { agent_id: 'a', message: 'Do it' })
      expect(refused.error).toMatchObject({ code: 'model_unavailable' })
      expect(refused.error?.hint).toContain('--model')
      expect(JSON.stringify(refused)).not.toContain(repository.folder)

      expect((await live.client.ok('read_file', { path: 'a.py' })).content).toBe('a = 1\n')
      await live.client.ok('agent_update_file', { agent_id: 'a', content: 'a = 2\n' })
      await live.client.ok('git_commit', { message: 'Without a model' })
      expect(await repository.git('log', '-1', '--format=%s')).toBe('Without a model\n')

      // Once the file is there, the next call finds it: nothing has to be restarted.
      await writeTinyModel(model, QUICK_MODEL)
      const answer = await live.client.ok('chat_with_agent', { agent_id: 'a', message: 'Why?', mode: 'ask' })
      expect(answer.state).toBe('succeeded')
    } finally {
      await live.stop()
      repository.remove()
    }
  })
})

describe('without a worker', { timeout: DEADLINE_MS }, () => {
  it('jobs wait, up to a limit, and run when one is back; short calls are refused at once', async () => {
    const live = await startLiveStack({ model: 'demo', files: { 'README.md': '# Sample\n' } })
    const { client, repository, stack } = live
    try {
      await live.own('user.py', 'filler.py')
      // As when a disk is not mounted: the worker cannot start where its repository is not.
      const elsewhere = join(repository.folder, 'elsewhere')
      renameSync(repository.root, elsewhere)
      const { worker = 0 } = stack.pids()
      process.kill(worker, 'SIGKILL')
      await processEnded(worker)
      await until(() => live.log.some((line) => line.includes('cannot be found')))

      const askedAt = performance.now()
      const waiting = await client.ok('chat_with_agent', { agent_id: 'user', message: PRODUCER })
      expect(waiting.state).toBe('queued')
      expect(waiting.note).toContain('No worker is connected')
      expect((await client.call('read_file', { path: 'README.md' })).error?.code).toBe('worker_offline')
      expect(performance.now() - askedAt).toBeLessThan(500)

      const fill = async () => {
        for (;;) {
          const answer = await client.call('chat_with_agent', { agent_id: 'filler', message: 'x', wait_seconds: 0 })
          if (!answer.success) return answer
        }
      }
      for (const answer of await Promise.all(Array.from({ length: 8 }, fill))) {
        expect(answer.error?.code).toBe('busy')
      }
      const refusedAt = performance.now()
      const refused = await client.call('chat_with_agent', { agent_id: 'filler', message: 'one more' })
      expect(performance.now() - refusedAt).toBeLessThan(500)
      expect(refused.error).toMatchObject({ code: 'busy', details: { retry_after_ms: expect.any(Number) } })
      expect((await client.ok('get_server_info', {})).queue).toEqual({ queued: JOBS_QUEUED_MAX, running: 0 })

      await client.ok('delete_agent', { agent_id: 'filler' })
      expect((await client.ok('get_server_info', {})).queue).toEqual({ queued: 1, running: 0 })
      renameSync(elsewhere, repository.root)
      await modelIsReady(client)
      const ended: EndedJob = await jobEnd(client, String(waiting.job_id))
      expect(ended).toMatchObject({ state: 'succeeded', result: { changed: true } })
      expect(repository.read('user.py')).toContain('class User')
      expect(repository.exists('filler.py')).toBe(false)

      // The queue has room again.
      const next = await client.ok('chat_with_agent', { agent_id: 'user', message: 'Add a field age to User' })
      expect(next.state).toBe('succeeded')
    } finally {
      await live.stop()
    }
  })
})
