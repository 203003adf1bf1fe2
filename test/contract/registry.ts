import * as v from 'valibot'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NewAgent, NewJob, RegistryStore } from '#functions/ports/registry.ts'
import type { SqlRow, SqlValue } from '#functions/ports/sql.ts'
import { AgentId, createJobId, type JobId, toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { AGENTS_MAX } from '#shared/protocol/limits.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'

/** SQL from outside of where it runs. */
export interface SqlAccess {
  all(statement: string, ...values: SqlValue[]): Promise<SqlRow[]>
  run(statement: string, ...values: SqlValue[]): Promise<number>
}

export interface RegistryUnderTest {
  readonly registry: RegistryStore
  /** The store below, to damage rows as a broken disk or a hand would. */
  readonly sql: SqlAccess
  /** Moves the registry's clock. */
  readonly clock: { nowMs: number }
  /** What was reported to the operator. */
  reports(): Promise<readonly string[]>
}

const here = toWorkspaceId('here')
const there = toWorkspaceId('there')
const agentId = (id: string) => v.parse(AgentId, id)
let jobCount = 0
const newJobId = (nowMs: number) => {
  jobCount++
  return createJobId(nowMs + jobCount)
}

const agent = (id: string, changes: Partial<NewAgent> = {}): NewAgent => ({
  agent_id: agentId(id),
  name: `Agent ${id}`,
  managed_file: `src/${id}.py`,
  file_key: `src/${id}.py`,
  system_prompt: 'You write Python.',
  model: null,
  description: null,
  ...changes,
})

/** What every registry must do, whatever it is stored in. `create` gives an empty one. */
export function describeRegistry(name: string, create: () => Promise<RegistryUnderTest>): void {
  describe(`registry: ${name}`, () => {
    let registry: RegistryStore
    let sql: SqlAccess
    let clock: { nowMs: number }
    let reports: RegistryUnderTest['reports']

    const job = (agentName: string, changes: Partial<NewJob> = {}): NewJob => ({
      job_id: newJobId(clock.nowMs),
      tool: 'chat_with_agent',
      agent_id: agentId(agentName),
      caller: { subject: 'owner' },
      args: { agent_id: agentName, message: 'Write it' },
      params_hash: 'hash',
      idempotency_key: null,
      call_key: null,
      accepts: null,
      deadline: clock.nowMs + 60_000,
      ...changes,
    })
    const submit = async (agentName: string, changes: Partial<NewJob> = {}, workspace: WorkspaceId = here) => {
      const { record } = await registry.createJob(workspace, job(agentName, changes))
      return record.job.job_id
    }
    const claim = async (id: JobId) => {
      const reply = await registry.claimJob(here, id, 'worker-1')
      if (reply.claim !== 'run') throw new Error('expected a claim')
      return reply
    }
    const done = { state: 'succeeded', result: { reply: 'Done' } } as const

    beforeEach(async () => {
      ;({ registry, sql, clock, reports } = await create())
    })

    describe('agents', () => {
      it('keeps what it was given', async () => {
        await registry.createAgent(here, agent('a1', { model: 'qwen', description: 'Makes models' }))
        expect(await registry.getAgent(here, agentId('a1'))).toEqual({
          agent_id: 'a1',
          name: 'Agent a1',
          managed_file: 'src/a1.py',
          system_prompt: 'You write Python.',
          model: 'qwen',
          description: 'Makes models',
          state: 'idle',
          created_at: new Date(clock.nowMs).toISOString(),
          updated_at: new Date(clock.nowMs).toISOString(),
        })
      })

      it('refuses an id that exists, in any case, and a file that has an owner, naming it', async () => {
        await registry.createAgent(here, agent('a1'))
        await expect(registry.createAgent(here, agent('a1', { file_key: 'other' }))).rejects.toMatchObject({
          code: 'already_exists',
        })
        await expect(registry.createAgent(here, agent('A1', { file_key: 'other' }))).rejects.toMatchObject({
          code: 'already_exists',
          message: expect.stringContaining('"a1"'),
        })
        await expect(registry.createAgent(here, agent('a2', { file_key: 'src/a1.py' }))).rejects.toMatchObject({
          code: 'file_already_managed',
          message: expect.stringContaining('"a1"'),
        })
        expect(await registry.countAgents(here)).toBe(1)
      })

      it('keeps workspaces apart', async () => {
        await registry.createAgent(here, agent('a1'))
        await registry.createAgent(there, agent('a1', { name: 'Elsewhere' }))
        expect((await registry.getAgent(there, agentId('a1'))).name).toBe('Elsewhere')
        await registry.deleteAgent(there, agentId('a1'))
        expect(await registry.countAgents(here)).toBe(1)
        await expect(registry.getAgent(there, agentId('a1'))).rejects.toMatchObject({ code: 'not_found' })
      })

      it('gives one of many at once the file', async () => {
        const tries = Array.from({ length: 20 }, (_, index) =>
          registry.createAgent(here, agent(`racer-${index}`, { file_key: 'one.py' })),
        )
        const results = await Promise.allSettled(tries)
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
        expect(await registry.countAgents(here)).toBe(1)
      })

      it('lists in order of id, page by page, each agent once', async () => {
        const ids = Array.from({ length: 25 }, (_, index) => `agent-${String(index).padStart(2, '0')}`)
        for (const id of ids.toReversed()) await registry.createAgent(here, agent(id))
        const seen: string[] = []
        let cursor: string | null = null
        do {
          const page = await registry.listAgents(here, { query: null, cursor, limit: 10 })
          expect(page.total).toBe(25)
          seen.push(...page.items.map((item) => item.agent_id))
          cursor = page.next_cursor
        } while (cursor !== null)
        expect(seen).toEqual(ids)
      })

      it('finds by part of id, name or file, without wildcards', async () => {
        await registry.createAgent(here, agent('models', { name: '100% Models', managed_file: 'app/User.py' }))
        await registry.createAgent(here, agent('other_one', { name: 'Other' }))
        const find = async (query: string) =>
          (await registry.listAgents(here, { query, cursor: null, limit: 10 })).items.map((item) => item.agent_id)
        expect(await find('MODEL')).toEqual(['models'])
        expect(await find('user.PY')).toEqual(['models'])
        expect(await find('100%')).toEqual(['models'])
        expect(await find('%')).toEqual(['models'])
        expect(await find('_')).toEqual(['other_one'])
        expect(await find("' OR 1=1 --")).toEqual([])
        expect((await registry.listAgents(here, { query: 'model', cursor: null, limit: 10 })).total).toBe(1)
      })

      it.each(['', 'x', 'YWdlbnRzOg', 'am9iczphMQ', "' OR 1=1", '🙂'])(
        'refuses the made-up cursor %j',
        async (cursor) => {
          await expect(registry.listAgents(here, { query: null, cursor, limit: 10 })).rejects.toMatchObject({
            code: 'invalid_input',
          })
        },
      )

      it('changes the named fields only, and moves the ownership with the file', async () => {
        await registry.createAgent(here, agent('a1'))
        await registry.createAgent(here, agent('a2'))
        clock.nowMs += 1000
        const changed = await registry.updateAgent(here, agentId('a1'), {
          name: 'New',
          file: { managed_file: 'lib/new.py', file_key: 'lib/new.py' },
        })
        expect(changed).toMatchObject({ name: 'New', managed_file: 'lib/new.py', system_prompt: 'You write Python.' })
        expect(changed.updated_at > changed.created_at).toBe(true)
        expect(await registry.findOwners(here, ['src/a1.py', 'lib/new.py', 'src/a2.py'])).toEqual(
          new Map([
            ['lib/new.py', 'a1'],
            ['src/a2.py', 'a2'],
          ]),
        )
        const steal = { file: { managed_file: 'src/a2.py', file_key: 'src/a2.py' } }
        await expect(registry.updateAgent(here, agentId('a1'), steal)).rejects.toMatchObject({
          code: 'file_already_managed',
          message: expect.stringContaining('"a2"'),
        })
        await expect(registry.updateAgent(here, agentId('none'), { name: 'x' })).rejects.toMatchObject({
          code: 'not_found',
        })
      })

      it('answers for more file keys than one statement takes', async () => {
        await registry.createAgent(here, agent('a1'))
        const keys = Array.from({ length: 1000 }, (_, index) => `none-${index}`)
        expect(await registry.findOwners(here, [...keys, 'src/a1.py'])).toEqual(new Map([['src/a1.py', 'a1']]))
      })

      it('lists agents with their files page by page, each once, also where ids differ in case', async () => {
        for (const id of ['b2', 'A1', 'a3', 'C4']) await registry.createAgent(here, agent(id))
        const seen: string[] = []
        for (let after: string | null = null; ; ) {
          const page = await registry.listOwners(here, after, 3)
          seen.push(...page.map(({ agent_id, managed_file, file_key }) => `${agent_id} ${managed_file} ${file_key}`))
          if (page.length < 3) break
          after = page.at(-1)?.agent_id ?? null
        }
        expect(seen).toEqual(['A1', 'a3', 'b2', 'C4'].map((id) => `${id} src/${id}.py src/${id}.py`))
        expect(await registry.listOwners(toWorkspaceId('empty'), null, 3)).toEqual([])
      })

      it('refuses one damaged agent and serves the others', async () => {
        for (const id of ['good', 'leaves', 'newer', 'nameless']) await registry.createAgent(here, agent(id))
        const damage = (id: string, change: string) => sql.run(`UPDATE agents SET ${change} WHERE agent_id = ?`, id)
        await damage('leaves', `managed_file = '../../etc/passwd'`)
        await damage('newer', 'version = 99')
        await damage('nameless', `name = ''`)
        for (const id of ['leaves', 'newer', 'nameless']) {
          await expect(registry.getAgent(here, agentId(id))).rejects.toMatchObject({ code: 'unavailable' })
        }
        expect(await reports()).toHaveLength(3)
        const page = await registry.listAgents(here, { query: null, cursor: null, limit: 10 })
        expect(page.items.map((item) => item.agent_id)).toEqual(['good'])
        expect(page.total).toBe(1)
        // Its file is still nobody else's.
        await expect(registry.createAgent(here, agent('thief', { file_key: 'src/newer.py' }))).rejects.toMatchObject({
          code: 'file_already_managed',
        })
        // A job of it does not run, and it can be removed.
        const id = await submit('leaves')
        expect(await registry.claimJob(here, id, 'worker-1')).toMatchObject({ claim: 'settled' })
        expect((await registry.getJob(here, id)).job).toMatchObject({ state: 'failed', error: { code: 'unavailable' } })
        expect(await registry.deleteAgent(here, agentId('leaves'))).toMatchObject({ managed_file: null })
      })
    })

    describe('jobs', () => {
      beforeEach(async () => {
        await registry.createAgent(here, agent('a1'))
        await registry.createAgent(here, agent('a2'))
      })

      it('goes from queued over running to its end, and the conversation with it', async () => {
        expect(await registry.hasLiveJobs()).toBe(false)
        const id = await submit('a1')
        expect(await registry.hasLiveJobs()).toBe(true)
        expect((await registry.getJob(here, id)).job).toMatchObject({ state: 'queued', started_at: null, error: null })
        const run = await claim(id)
        expect(run).toMatchObject({
          fence: 1,
          tool: 'chat_with_agent',
          args: { message: 'Write it' },
          agent: { agent_id: 'a1', managed_file: 'src/a1.py' },
          caller: { subject: 'owner' },
          cancel_requested: false,
        })
        expect((await registry.getAgent(here, agentId('a1'))).state).toBe('working')
        expect((await registry.getAgent(here, agentId('a2'))).state).toBe('idle')
        expect(await registry.countJobs(here)).toEqual({ queued: 0, running: 1 })
        expect(await registry.hasLiveJobs()).toBe(true)
        expect(await registry.finishJob(here, id, 1, done)).toBe(true)
        expect(await registry.hasLiveJobs()).toBe(false)
        expect(await registry.getJob(here, id)).toMatchObject({
          job: { state: 'succeeded' },
          result: { reply: 'Done' },
        })
        expect((await registry.getAgent(here, agentId('a1'))).state).toBe('idle')
        const messages = await registry.listMessages(here, agentId('a1'), 10)
        expect(messages.map(({ role, text, job_id }) => [role, text, job_id])).toEqual([
          ['user', 'Write it', id],
          ['agent', 'Done', id],
        ])
        expect(await registry.claimJob(here, id, 'worker-2')).toMatchObject({ claim: 'settled' })
      })

      it("gives the agent's earlier tasks with a claim: the newest whole, before them first words, within a bound", async () => {
        const finish = async (message: string, reply: string) => {
          clock.nowMs += 1000
          const id = await submit('a1', { args: { agent_id: 'a1', message } })
          const { fence, history } = await claim(id)
          await registry.finishJob(here, id, fence, { state: 'succeeded', result: { reply } })
          return history
        }
        expect(await finish('Create it', 'Wrote it')).toEqual([])
        expect(await finish('x'.repeat(20_000), 'y'.repeat(20_000))).toEqual([
          { task: 'Create it', answer: 'Wrote it' },
        ])
        expect(await finish('Mend it\nnow', 'Mended')).toEqual([
          { task: 'Create it', answer: null },
          { task: 'x'.repeat(60), answer: null },
        ])
        for (let count = 0; count < 110; count++) await finish(`Task ${count} ${'é'.repeat(30_000)}`, 'Done')
        const history = (await finish('Last', 'Done')) ?? []
        expect(history).toHaveLength(100)
        expect(new TextEncoder().encode(JSON.stringify(history)).byteLength).toBeLessThan(64 * 1024)
      })

      it('gives the jobs of one agent one after the other, in the order in which they came', async () => {
        const submitNext = async (agentName: string, changes: Partial<NewJob> = {}) => {
          clock.nowMs++
          return submit(agentName, changes)
        }
        const first = await submitNext('a1')
        const second = await submitNext('a1')
        const third = await submitNext('a1')
        const question = await submitNext('a1', { args: { agent_id: 'a1', message: 'Why?', mode: 'ask' } })
        const others = await submitNext('a2')
        const claimOf = (id: JobId) => registry.claimJob(here, id, 'worker-1')
        expect(await claimOf(third)).toMatchObject({ claim: 'wait', ahead: 2 })
        expect(await claimOf(second)).toMatchObject({ claim: 'wait', ahead: 1 })
        expect((await registry.getJob(here, second)).job).toMatchObject({ state: 'queued', started_at: null })
        expect((await claim(question)).fence).toBe(1)
        expect((await claim(others)).fence).toBe(1)
        expect((await claim(first)).fence).toBe(1)
        // One that comes back after a crash waits for nobody.
        expect((await claim(first)).fence).toBe(2)
        expect(await claimOf(second)).toMatchObject({ claim: 'wait', ahead: 1 })
        // Those that wait are not lost; the sweep leaves them alone.
        expect(await registry.listStale(clock.nowMs + 1, 10)).toEqual([])
        await registry.finishJob(here, first, 2, done)
        expect(await claimOf(third)).toMatchObject({ claim: 'wait', ahead: 1 })
        await registry.cancelJob(here, second)
        expect((await claim(third)).fence).toBe(1)
      })

      it('runs jobs of no agent beside each other, with no conversation and no cost of an agent', async () => {
        const ofNone = () =>
          job('a1', {
            tool: 'run_tests',
            agent_id: null,
            args: { message: 'not a message' },
            job_id: newJobId(clock.nowMs),
          })
        const [first, second] = [ofNone(), ofNone()]
        for (const each of [first, second]) expect((await registry.createJob(here, each)).created).toBe(true)
        expect(await claim(first.job_id)).toMatchObject({ fence: 1, tool: 'run_tests', agent: null, history: [] })
        expect(await claim(second.job_id)).toMatchObject({ fence: 1, agent: null })
        expect((await registry.getAgent(here, agentId('a1'))).state).toBe('idle')
        expect(await registry.finishJob(here, first.job_id, 1, done)).toBe(true)
        const ended = await registry.getJob(here, first.job_id)
        expect(ended.job).toMatchObject({ agent_id: null, state: 'succeeded' })
        const listed = await registry.listJobs(here, { state: null, agent: null, cursor: null, limit: 10 })
        expect(listed.items.map(({ agent_id }) => agent_id)).toEqual([null, null])
        expect(await sql.all('SELECT * FROM messages')).toEqual([])
        expect(await sql.all('SELECT * FROM agent_usage')).toEqual([])
      })

      it('accepts the outcome of the last claim only, and once', async () => {
        const id = await submit('a1')
        await claim(id)
        expect((await claim(id)).fence).toBe(2)
        expect(await registry.finishJob(here, id, 1, { state: 'succeeded', result: { reply: 'Old' } })).toBe(false)
        expect(await registry.finishJob(here, id, 2, done)).toBe(true)
        expect(await registry.finishJob(here, id, 2, { state: 'succeeded', result: { reply: 'Again' } })).toBe(true)
        expect(await registry.finishJob(here, id, 3, done)).toBe(false)
        expect((await registry.getJob(here, id)).result).toEqual({ reply: 'Done' })
        expect(await registry.listMessages(here, agentId('a1'), 10)).toHaveLength(2)
        expect(await registry.finishJob(there, id, 2, done)).toBe(false)
        expect(await registry.claimJob(here, newJobId(clock.nowMs), 'worker-1')).toMatchObject({ claim: 'settled' })
      })

      it("adds up what an agent's jobs have cost: once each, refused and cancelled ones too, until it is deleted", async () => {
        const usage = {
          prompt_tokens: 100,
          cached_prompt_tokens: 60,
          completion_tokens: 30,
          queue_ms: 5.4,
          time_to_first_token_ms: 9,
          tokens_per_second: 20,
          model: 'qwen',
        }
        const none = {
          jobs: 0,
          prompt_tokens: 0,
          cached_prompt_tokens: 0,
          completion_tokens: 0,
          queue_ms: 0,
          generating_ms: 0,
        }
        const a1 = agentId('a1')
        const a2 = agentId('a2')
        expect(await registry.getUsage(here, a1)).toEqual(none)
        const end = async (name: string, outcome: JobOutcome) => {
          const id = await submit(name)
          await claim(id)
          const { fence } = await claim(id)
          expect(await registry.finishJob(here, id, fence - 1, outcome)).toBe(false)
          for (const _ of ['reported', 'delivered again']) {
            expect(await registry.finishJob(here, id, fence, outcome)).toBe(true)
          }
        }
        await end('a1', { state: 'succeeded', result: { reply: 'Done', usage } })
        const once = {
          jobs: 1,
          prompt_tokens: 100,
          cached_prompt_tokens: 60,
          completion_tokens: 30,
          queue_ms: 5,
          generating_ms: 1500,
        }
        expect(await registry.getUsage(here, a1)).toEqual(once)
        const error = { code: 'checks_failed', message: 'Cannot write', details: { usage } } as const
        await end('a1', { state: 'failed', error })
        await end('a1', { state: 'cancelled', error })
        // Refused before the model was asked; told by a worker out of its mind.
        await end('a1', { state: 'failed', error: { code: 'not_found', message: 'Cannot find' } })
        await end('a1', {
          state: 'failed',
          error: { ...error, details: { usage: { ...usage, prompt_tokens: 'many' } } },
        })
        expect(await registry.getUsage(here, a1)).toEqual({
          jobs: 3,
          prompt_tokens: 300,
          cached_prompt_tokens: 180,
          completion_tokens: 90,
          queue_ms: 15,
          generating_ms: 4500,
        })
        const wild = { ...usage, prompt_tokens: 1e300, queue_ms: -7, tokens_per_second: null }
        await end('a2', { state: 'succeeded', result: { reply: 'Done', usage: wild } })
        expect(await registry.getUsage(here, a2)).toEqual({ ...once, prompt_tokens: 0, queue_ms: 0, generating_ms: 0 })
        expect(await registry.getUsage(there, a1)).toEqual(none)

        await registry.deleteAgent(here, a1)
        await registry.createAgent(here, agent('a1'))
        expect(await registry.getUsage(here, a1)).toEqual(none)
        expect((await registry.getUsage(here, a2)).jobs).toBe(1)
      })

      it('tells a worker which of its jobs are over', async () => {
        // Those of one agent would wait for each other.
        for (const name of ['b1', 'b2', 'b3']) await registry.createAgent(here, agent(name))
        const running = await submit('a1')
        const cancelled = await submit('b1')
        const taken = await submit('b2')
        const finished = await submit('b3')
        const orphaned = await submit('a2')
        const jobs = []
        for (const job_id of [running, cancelled, taken, finished, orphaned]) {
          jobs.push({ job_id, fence: (await claim(job_id)).fence })
        }
        jobs.push({ job_id: newJobId(clock.nowMs), fence: 1 })
        const unknown = jobs.at(-1)?.job_id
        expect(await registry.findOver(here, jobs)).toEqual([unknown])
        await registry.cancelJob(here, cancelled)
        await claim(taken)
        await registry.finishJob(here, finished, 1, done)
        await registry.deleteAgent(here, agentId('a2'))
        expect(await registry.findOver(here, jobs)).toEqual([cancelled, taken, finished, orphaned, unknown])
        expect(await registry.findOver(there, jobs)).toHaveLength(6)
        // Failed by the sweep for its deadline.
        clock.nowMs += 10 * 60_000
        await registry.expireJobs(0)
        expect(await registry.findOver(here, jobs.slice(0, 1))).toEqual([running])
      })

      it('makes one job of one idempotency key', async () => {
        const first = job('a1', { idempotency_key: 'k1', params_hash: 'one' })
        expect((await registry.createJob(here, first)).created).toBe(true)
        const again = await registry.createJob(here, { ...first, job_id: newJobId(clock.nowMs) })
        expect(again).toMatchObject({ created: false, record: { job: { job_id: first.job_id } } })
        await expect(
          registry.createJob(here, { ...first, job_id: newJobId(clock.nowMs), params_hash: 'two' }),
        ).rejects.toMatchObject({ code: 'conflict' })
        // Somebody else's key, and the same key in another workspace, are other keys.
        const other = { ...first, job_id: newJobId(clock.nowMs), caller: { subject: 'other' } }
        expect((await registry.createJob(here, other)).created).toBe(true)
        await registry.createAgent(there, agent('a1'))
        expect((await registry.createJob(there, { ...first, job_id: newJobId(clock.nowMs) })).created).toBe(true)
      })

      it('refuses a job of an agent that does not exist', async () => {
        await expect(submit('nobody')).rejects.toMatchObject({ code: 'not_found' })
        await expect(submit('a1', {}, there)).rejects.toMatchObject({ code: 'not_found' })
      })

      it('takes back only what no worker has', async () => {
        const waiting = await submit('a1')
        expect(await registry.withdrawJob(here, waiting)).toBe(true)
        await expect(registry.getJob(here, waiting)).rejects.toMatchObject({ code: 'not_found' })
        const taken = await submit('a1')
        await claim(taken)
        expect(await registry.withdrawJob(here, taken)).toBe(false)
      })

      it('cancels a queued job at once, asks a running one, leaves an ended one', async () => {
        const queued = await submit('a1')
        expect(await registry.cancelJob(here, queued)).toEqual({
          job_id: queued,
          state: 'cancelled',
          cancel_requested: true,
        })
        expect(await registry.claimJob(here, queued, 'worker-1')).toMatchObject({ claim: 'settled' })

        const running = await submit('a1')
        await claim(running)
        expect(await registry.cancelJob(here, running)).toMatchObject({ state: 'running', cancel_requested: true })
        expect((await claim(running)).cancel_requested).toBe(true)
        const stopped = { state: 'cancelled', error: { code: 'cancelled', message: 'Stopped' } } as const
        expect(await registry.finishJob(here, running, 2, stopped)).toBe(true)
        expect(await registry.cancelJob(here, running)).toMatchObject({ state: 'cancelled' })
        await expect(registry.cancelJob(here, newJobId(clock.nowMs))).rejects.toMatchObject({ code: 'not_found' })
      })

      it('cancels by the key of the call', async () => {
        const id = await submit('a1', { call_key: 'call-1' })
        expect(await registry.cancelCall(here, 'call-2')).toBeNull()
        expect(await registry.cancelCall(there, 'call-1')).toBeNull()
        expect(await registry.cancelCall(here, 'call-1')).toMatchObject({ job_id: id, state: 'cancelled' })
        expect(await registry.cancelCall(here, 'call-1')).toBeNull()
      })

      it('cancels a call that comes after its cancellation', async () => {
        const stateOf = async (id: JobId) => (await registry.getJob(here, id)).job.state
        expect(await registry.cancelCall(here, 'call-1')).toBeNull()
        expect(await stateOf(await submit('a1', { call_key: 'call-2' }))).toBe('queued')
        const id = await submit('a1', { call_key: 'call-1' })
        expect((await registry.getJob(here, id)).job).toMatchObject({
          state: 'cancelled',
          error: { code: 'cancelled' },
        })
        expect(await registry.claimJob(here, id, 'w1')).toMatchObject({ claim: 'settled' })
        expect(await stateOf(await submit('a1', { call_key: 'call-1' }))).toBe('queued')

        expect(await registry.cancelCall(there, 'call-3')).toBeNull()
        expect(await stateOf(await submit('a1', { call_key: 'call-3' }))).toBe('queued')
        expect(await registry.cancelCall(here, 'call-4')).toBeNull()
        clock.nowMs += 61_000
        expect(await stateOf(await submit('a1', { call_key: 'call-4' }))).toBe('queued')
      })

      it('knows who has claimed a job, under the last fence and no other', async () => {
        const job_id = await submit('a1')
        expect(await registry.findClaimant(here, job_id, 0)).toBeNull()
        await registry.claimJob(here, job_id, 'first')
        expect(await registry.findClaimant(here, job_id, 1)).toBe('first')
        await registry.claimJob(here, job_id, 'second')
        expect(await registry.findClaimant(here, job_id, 1)).toBeNull()
        expect(await registry.findClaimant(here, job_id, 2)).toBe('second')
        await registry.finishJob(here, job_id, 2, done)
        expect(await registry.findClaimant(here, job_id, 2)).toBe('second')
        expect(await registry.findClaimant(there, job_id, 2)).toBeNull()
      })

      it('fences off the jobs of a deleted agent', async () => {
        const running = await submit('a1')
        const { fence } = await claim(running)
        const queued = await submit('a1')
        const other = await submit('a2')
        const deleted = await registry.deleteAgent(here, agentId('a1'))
        expect(deleted).toEqual({ managed_file: 'src/a1.py', cancelled: [running, queued], running: [running] })
        expect(await registry.finishJob(here, running, fence, done)).toBe(false)
        expect((await registry.getJob(here, running)).job).toMatchObject({
          state: 'cancelled',
          error: { code: 'cancelled' },
        })
        expect((await registry.getJob(here, other)).job.state).toBe('queued')
        expect(await registry.listMessages(here, agentId('a1'), 10)).toEqual([])
      })

      it('lets one proposal be accepted once, and again only where that failed', async () => {
        const proposal = newJobId(clock.nowMs)
        const first = await submit('a1', { accepts: proposal })
        await expect(submit('a1', { accepts: proposal })).rejects.toMatchObject({ code: 'conflict' })
        const { fence } = await claim(first)
        await registry.finishJob(here, first, fence, {
          state: 'failed',
          error: { code: 'conflict', message: 'Changed' },
        })
        const second = await submit('a1', { accepts: proposal })
        await registry.finishJob(here, second, (await claim(second)).fence, done)
        await expect(submit('a1', { accepts: proposal })).rejects.toMatchObject({ code: 'conflict' })
      })

      it('lists newest first, by state and agent, page by page', async () => {
        const ids: JobId[] = []
        for (let index = 0; index < 7; index++) ids.push(await submit(index % 2 === 0 ? 'a1' : 'a2'))
        const [first] = ids
        if (first !== undefined) await claim(first)
        const list = async (state: 'running' | 'queued' | null, name: string | null) => {
          const seen: string[] = []
          let cursor: string | null = null
          do {
            const request = { state, agent: name === null ? null : agentId(name), cursor, limit: 2 }
            const page: Awaited<ReturnType<RegistryStore['listJobs']>> = await registry.listJobs(here, request)
            seen.push(...page.items.map((item) => item.job_id))
            cursor = page.next_cursor
          } while (cursor !== null)
          return seen
        }
        expect(await list(null, null)).toEqual(ids.toReversed())
        expect(await list('running', null)).toEqual([first])
        expect(await list('queued', 'a1')).toEqual([ids[6], ids[4], ids[2]])
        await expect(
          registry.listJobs(here, { state: null, agent: null, cursor: 'nonsense', limit: 2 }),
        ).rejects.toMatchObject({ code: 'invalid_input' })
      })

      it('fails at the claim what waited past its deadline, and later what never came back', async () => {
        const late = await submit('a1')
        const lost = await submit('a2')
        await claim(lost)
        clock.nowMs += 60_000
        expect(await registry.claimJob(here, late, 'worker-1')).toMatchObject({ claim: 'settled' })
        expect((await registry.getJob(here, late)).job.error?.code).toBe('timeout')
        expect(await registry.expireJobs(10_000)).toEqual([])
        clock.nowMs += 10_001
        expect(await registry.expireJobs(10_000)).toEqual([{ workspace: here, job_id: lost }])
        const { job: gone } = await registry.getJob(here, lost)
        expect(gone).toMatchObject({ state: 'failed', error: { code: 'timeout' } })
        // Its worker was cut off: it may have written before.
        expect(gone.error?.hint).toContain('git_diff')
        expect(await registry.finishJob(here, lost, 1, done)).toBe(false)
      })

      it('lets a worker that began in time say after the deadline how it went', async () => {
        const id = await submit('a1')
        await claim(id)
        // The worker was killed after it wrote; its journal knows, and the message comes back late.
        clock.nowMs += 60_000
        const { fence } = await claim(id)
        expect(fence).toBe(2)
        expect(await registry.finishJob(here, id, fence, done)).toBe(true)
        expect((await registry.getJob(here, id)).job.state).toBe('succeeded')
      })

      it('lists refusals without their details, which hold diffs and replies', async () => {
        const id = await submit('a1')
        const { fence } = await claim(id)
        const error = {
          code: 'checks_failed',
          message: 'Cannot write',
          hint: 'Smaller',
          details: { diff: '+x' },
        } as const
        await registry.finishJob(here, id, fence, { state: 'failed', error })
        expect((await registry.getJob(here, id)).job.error).toEqual(error)
        const { items } = await registry.listJobs(here, { state: null, agent: null, cursor: null, limit: 2 })
        expect(items[0]?.error).toEqual({ code: 'checks_failed', message: 'Cannot write', hint: 'Smaller' })
      })

      it('finds queued jobs whose message is lost: nothing runs, or a later one has overtaken', async () => {
        const lost = await submit('a1')
        await registry.markPublished(here, lost)
        expect(await registry.listStale(clock.nowMs, 10)).toEqual([])
        clock.nowMs += 1000
        expect(await registry.listStale(clock.nowMs, 10)).toEqual([{ workspace: here, job_id: lost, attempts: 1 }])

        // A job that merely waits behind a running one is not lost.
        const earlier = await submit('a2')
        clock.nowMs += 1000
        const waiting = await submit('a2')
        await claim(earlier)
        clock.nowMs += 1000
        expect((await registry.listStale(clock.nowMs, 10)).map((stale) => stale.job_id)).toEqual([lost])
        expect(waiting).not.toBe(lost)

        // Published again, it waits behind what was published before.
        await registry.markPublished(here, lost)
        clock.nowMs += 1000
        expect(await registry.listStale(clock.nowMs, 10)).toEqual([])
      })

      it('finds them in each workspace, however many another has', async () => {
        await registry.createAgent(there, agent('b1'))
        for (let count = 0; count < 3; count++)
          await registry.markPublished(there, await submit('b1', { args: { mode: 'ask' } }, there))
        clock.nowMs += 1
        const lost = await submit('a1')
        await registry.markPublished(here, lost)
        clock.nowMs += 1000
        const stale = await registry.listStale(clock.nowMs, 2)
        expect(stale.filter(({ workspace }) => workspace === here).map(({ job_id }) => job_id)).toEqual([lost])
        // None of them where each workspace has a store of its own.
        expect([0, 2]).toContain(stale.filter(({ workspace }) => workspace === there).length)
      })

      it('keeps the last 200 turns of a conversation', async () => {
        for (let index = 0; index < 105; index++) {
          const id = await submit('a1', { args: { message: `Task ${index}` } })
          await registry.finishJob(here, id, (await claim(id)).fence, done)
        }
        const messages = await registry.listMessages(here, agentId('a1'), 1000)
        expect(messages).toHaveLength(200)
        expect(messages.at(-2)?.text).toBe('Task 104')
      })

      it('refuses one damaged job and lists the others', async () => {
        const broken = await submit('a1')
        const good = await submit('a1')
        await sql.run(`UPDATE jobs SET error = '{"code": "tim' WHERE job_id = ?`, broken)
        await expect(registry.getJob(here, broken)).rejects.toMatchObject({ code: 'unavailable' })
        const page = await registry.listJobs(here, { state: null, agent: null, cursor: null, limit: 10 })
        expect(page.items.map((item) => item.job_id)).toEqual([good])
        expect(await registry.claimJob(here, broken, 'worker-1')).toMatchObject({ claim: 'settled' })
      })
    })

    it('takes as many agents as there may be, and not one more', async () => {
      await sql.run(
        `INSERT INTO agents (workspace, agent_id, id_key, file_key, version, name, managed_file, search, created_at,
          updated_at, system_prompt)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         SELECT ?, 'f' || n, 'f' || n, n || '.py', 1, 'n', n || '.py', '', 0, 0, '' FROM numbers`,
        AGENTS_MAX - 1,
        here,
      )
      await registry.createAgent(here, agent('last'))
      await expect(registry.createAgent(here, agent('over'))).rejects.toMatchObject({
        code: 'too_large',
      })
      expect(await registry.countAgents(here)).toBe(AGENTS_MAX)
      // The limit is the workspace's own.
      await registry.createAgent(there, agent('over'))
    })

    it('lists a page out of 10,000 agents, and finds one of them', async () => {
      await sql.run(
        `INSERT INTO agents (workspace, agent_id, id_key, file_key, version, name, managed_file, search, created_at,
          updated_at, system_prompt)
         WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9999),
           ids (id) AS (SELECT 'agent-' || substr('0000' || n, -5) FROM numbers)
         SELECT ?, id, id, id || '.py', 1, id, id || '.py', id, 0, 0, ? FROM ids`,
        here,
        'x'.repeat(2000),
      )
      const page = await registry.listAgents(here, { query: null, cursor: null, limit: 50 })
      expect(page.items.map((item) => item.agent_id)[49]).toBe('agent-00049')
      expect(page.total).toBe(10_000)
      const searched = await registry.listAgents(here, { query: 'agent-09999', cursor: null, limit: 50 })
      expect(searched.items.map((item) => item.agent_id)).toEqual(['agent-09999'])
    })
  })
}
