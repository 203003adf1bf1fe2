import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobEnd, type LiveStack, startLiveStack } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'

// Taking back what a job wrote, through the whole system, with the demo model.

const PRODUCER = 'Create a User model with id, name, email'
const BEFORE = '# old\nx = 1\r\n\ty = 2'

describe('a revert', { timeout: 60_000 }, () => {
  let live: LiveStack
  beforeAll(async () => {
    live = await startLiveStack({ model: 'demo', files: { 'README.md': '# Sample\n' } })
    await live.own('made.py', 'kept.py', 'changed.py', 'chain.py', 'proposal.py', 'stranger.py')
  })
  afterAll(() => live.stop())

  const write = (agent_id: string, more: Fields = {}) =>
    live.client.ok('chat_with_agent', { agent_id, message: PRODUCER, ...more })
  const undo = (agent_id: string, revert: unknown) => ({ agent_id, message: 'Take it back', revert })

  it('removes a file that the job had made, and brings it back when it is reverted itself', async () => {
    const made = await write('made')
    const text = live.repository.read('made.py')

    const reverted = await live.client.ok('chat_with_agent', undo('made', made.job_id))
    expect(reverted).toMatchObject({ state: 'succeeded', changed: true, attempts: 0, sha256: null })
    expect(String(reverted.diff)).toContain('+++ /dev/null')
    expect(reverted.reply).toContain(made.job_id)
    expect(live.repository.exists('made.py')).toBe(false)

    const again = await live.client.ok('chat_with_agent', undo('made', reverted.job_id))
    expect(again).toMatchObject({ changed: true, sha256: made.sha256 })
    expect(live.repository.read('made.py')).toBe(text)
  })

  it('writes back the very bytes, although they fail a check that is reported', async () => {
    live.repository.write('kept.py', BEFORE)
    const wrote = await write('kept')
    expect(live.repository.read('kept.py')).toContain('class User')

    const reverted = await live.client.ok('chat_with_agent', undo('kept', wrote.job_id))
    expect(live.repository.read('kept.py')).toBe(BEFORE)
    expect(reverted).toMatchObject({ changed: true, checks: { passed: false } })
    expect((await live.client.ok('git_status', {})).files).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'kept.py' })]),
    )
  })

  it('leaves what a person or a later job wrote', async () => {
    const first = await write('changed')
    live.repository.write('changed.py', 'mine = True\n')
    const refused = await live.client.call('chat_with_agent', undo('changed', first.job_id))
    expect(refused.error?.code).toBe('conflict')
    expect(live.repository.read('changed.py')).toBe('mine = True\n')

    const one = await write('chain')
    const two = await write('chain', { message: 'Add a field age to User' })
    const early = await live.client.call('chat_with_agent', undo('chain', one.job_id))
    expect(early.error?.code).toBe('conflict')
    await live.client.ok('chat_with_agent', undo('chain', two.job_id))
    const twice = await live.client.call('chat_with_agent', undo('chain', two.job_id))
    expect(twice.error?.code).toBe('conflict')
    await live.client.ok('chat_with_agent', undo('chain', one.job_id))
    expect(live.repository.exists('chain.py')).toBe(false)
  })

  it("finds nothing in another agent's job, in one that wrote nothing, and in none", async () => {
    const proposed = await write('proposal', { mode: 'propose' })
    for (const [agent, job] of [
      ['stranger', proposed.job_id],
      ['proposal', proposed.job_id],
      ['proposal', 'job_00000000000000000000000000'],
    ] as const) {
      const refused = await live.client.call('chat_with_agent', undo(agent, job))
      expect(refused.error?.code).toBe('not_found')
    }
    const accepted = await live.client.ok('chat_with_agent', {
      agent_id: 'proposal',
      message: 'Take it',
      accept: proposed.proposal_id,
    })
    const stolen = await live.client.call('chat_with_agent', undo('stranger', accepted.job_id))
    expect(stolen.error?.code).toBe('not_found')
    expect(live.repository.read('proposal.py')).toContain('class User')
    await live.client.ok('chat_with_agent', undo('proposal', accepted.job_id))
    expect(live.repository.exists('proposal.py')).toBe(false)
  })

  it('is a job: one for one idempotency_key, and part of the conversation; accept beside it is refused', async () => {
    const wrote = await write('stranger')
    const args = { ...undo('stranger', wrote.job_id), idempotency_key: 'undo-1', wait_seconds: 0 }
    const { job_id } = await live.client.ok('chat_with_agent', args)
    expect((await jobEnd(live.client, String(job_id))).state).toBe('succeeded')
    expect((await live.client.ok('chat_with_agent', args)).job_id).toBe(job_id)
    expect(live.repository.exists('stranger.py')).toBe(false)
    const { messages } = await live.client.ok('get_agent_info', { agent_id: 'stranger', history_limit: 1 })
    expect(messages).toMatchObject([{ role: 'agent', job_id }])

    const both = await live.client.call('chat_with_agent', { ...undo('stranger', job_id), accept: job_id })
    expect(both.error?.code).toBe('invalid_input')
  })
})
