import * as v from 'valibot'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NewAgent, Registry, TakeAgent } from '#functions/ports/registry.ts'
import { AgentId, createJobId, type JobId, toWorkspaceId } from '#shared/ids.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'
import type { RegistryUnderTest } from './registry.ts'

const here = toWorkspaceId('here')
const idOf = (id: string): AgentId => v.parse(AgentId, id)

const agentFor = (id: string, file_key = `src/${id}.py`): NewAgent => ({
  agent_id: idOf(id),
  name: id,
  managed_file: file_key,
  file_key,
  system_prompt: 'Improve it.',
  model: null,
  description: null,
})

/** How every registry lends agents to running jobs. `create` gives an empty one. */
export function describeJobAgents(name: string, create: () => Promise<RegistryUnderTest>): void {
  describe(`agents of jobs: ${name}`, () => {
    let registry: Registry
    let clock: { nowMs: number }
    let job: JobId
    let fence: number

    async function startJob(agent: string): Promise<{ job: JobId; fence: number }> {
      clock.nowMs += 1
      const { record } = await registry.createJob(here, {
        job_id: createJobId(clock.nowMs),
        tool: 'chat_with_agent',
        agent_id: idOf(agent),
        caller: { subject: 'owner' },
        args: { agent_id: agent, message: 'Improve all', mode: 'ask' },
        params_hash: 'hash',
        idempotency_key: null,
        call_key: null,
        accepts: null,
        deadline: clock.nowMs + 60_000,
      })
      return { job: record.job.job_id, fence: await claim(record.job.job_id) }
    }

    async function claim(id: JobId): Promise<number> {
      const reply = await registry.claimJob(here, id, 'worker-1')
      if (reply.claim !== 'run') throw new Error('expected a claim')
      return reply.fence
    }

    const take = (agent: NewAgent, changes: Partial<TakeAgent> = {}) =>
      registry.takeAgent(here, { job_id: job, fence, agent, keep: false, ...changes })
    const release = (agent_id: string, changes: { job_id?: JobId; fence?: number } = {}) =>
      registry.releaseAgent(here, { job_id: job, fence, agent_id: idOf(agent_id), ...changes })
    const ids = async (): Promise<string[]> =>
      (await registry.listAgents(here, { query: null, cursor: null, limit: 10 })).items.map((item) => item.agent_id)

    beforeEach(async () => {
      ;({ registry, clock } = await create())
      await registry.createAgent(here, agentFor('asked'))
      ;({ job, fence } = await startJob('asked'))
    })

    it('makes an agent for a file without one, once', async () => {
      const first = await take(agentFor('made'))
      expect(first).toMatchObject({ made: true, agent: { agent_id: 'made', managed_file: 'src/made.py' } })
      expect(await take(agentFor('made'))).toEqual(first)
      expect(await registry.findOwners(here, ['src/made.py'])).toEqual(new Map([['src/made.py', 'made']]))
    })

    it('gives the owner of a file that has one, and never takes it away', async () => {
      await registry.createAgent(here, agentFor('owner', 'src/owned.py'))
      const taken = await take(agentFor('made', 'src/owned.py'))
      expect(taken).toMatchObject({ made: false, agent: { agent_id: 'owner' } })
      expect(await release('owner')).toBeNull()
      expect(await ids()).toEqual(['asked', 'owner'])
    })

    it('removes what it made, and ends the jobs that others gave it', async () => {
      await take(agentFor('made'))
      const other = await startJob('made')
      expect(await release('made')).toEqual({ cancelled: [other.job], running: [other.job] })
      expect(await ids()).toEqual(['asked'])
      expect((await registry.getJob(here, other.job)).job.state).toBe('cancelled')
      expect(await release('made')).toBeNull()
    })

    it('serves nobody who has lost the job to another claim, or never had it', async () => {
      await take(agentFor('made'))
      const stale = fence
      fence = await claim(job)
      await expect(take(agentFor('late'), { fence: stale })).rejects.toMatchObject({ code: 'conflict' })
      expect(await release('made', { fence: stale })).toBeNull()
      const strange = createJobId(clock.nowMs + 5)
      await expect(take(agentFor('late'), { job_id: strange })).rejects.toMatchObject({ code: 'conflict' })
      const other = await startJob('asked')
      expect(await release('made', { job_id: other.job, fence: other.fence })).toBeNull()
      expect(await ids()).toEqual(['asked', 'made'])
    })

    it.each<[string, (registry: Registry) => Promise<unknown>]>([
      ['succeeds', (each) => each.finishJob(here, job, fence, { state: 'succeeded', result: {} })],
      ['fails', (each) => each.finishJob(here, job, fence, failed)],
      ['is cancelled', (each) => each.finishJob(here, job, fence, cancelled)],
      ['is given up at its deadline', (each) => expire(each)],
      ['loses its own agent', (each) => each.deleteAgent(here, idOf('asked'))],
    ])('removes them with their job when it %s, and keeps those that were to stay', async (_how, end) => {
      await take(agentFor('made'))
      await take(agentFor('kept'), { keep: true })
      await end(registry)
      expect((await ids()).filter((id) => id !== 'asked')).toEqual(['kept'])
      expect(await registry.findOwners(here, ['src/made.py'])).toEqual(new Map())
    })

    it('leaves alone what another job made', async () => {
      await take(agentFor('made'))
      const other = await startJob('asked')
      await registry.finishJob(here, other.job, other.fence, { state: 'succeeded', result: {} })
      expect(await ids()).toEqual(['asked', 'made'])
    })

    async function expire(each: Registry): Promise<void> {
      clock.nowMs += 10 * 60_000
      await each.expireJobs(0)
    }
  })
}

const failed: JobOutcome = { state: 'failed', error: { code: 'internal', message: 'Broke' } }
const cancelled: JobOutcome = { state: 'cancelled', error: { code: 'cancelled', message: 'Stopped' } }
