import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type EndedJob, type LiveStack, startLiveStack, until } from '#test/support/live-stack.ts'
import { connectClient, type Fields } from '#test/support/mcp.ts'
import { callMessage, postMessage, readMessage } from '#test/support/mcp-message.ts'
import { createSeededRandom } from '#test/support/seeded-random.ts'
import { readWrites } from '#test/support/worker-journal.ts'

// The edge ends and comes back twenty times, in the middle of calls: killed, and asked to stop. Callers who ask again, as they
// are told to, find that everything was done once.

/** Repeats a run's moments: MILLWRIGHT_KILLS_SEED=123 npx vitest run test/e2e/edge-restarts.test.ts */
const SEED = Number(process.env.MILLWRIGHT_KILLS_SEED ?? Math.floor(Math.random() * 1_000_000))
const RESTARTS = 20
/** Some calls have been answered by then, and some have hardly begun. */
const MOMENT_MS_MAX = 400
const TEST_MS = 240_000
/** What a caller is told while the edge is away from NATS, or came back before its worker was asked. */
const PASSING = new Set(['worker_offline', 'unavailable', 'timeout', 'busy', 'repository_busy', 'model_unavailable'])

interface Told {
  readonly success: boolean
  readonly fields: Fields
  readonly code: string | undefined
}

/** One try. Undefined where no answer came: the caller cannot know what happened. */
async function tryOnce({ stack }: LiveStack, name: string, args: Fields): Promise<Told | undefined> {
  try {
    const { body } = callMessage(name, args)
    const headers = { 'mcp-protocol-version': '2025-11-25' }
    const answer = await readMessage(await postMessage(stack.url, stack.token, { headers, body }))
    const { result } = answer as { result: { structuredContent: Fields & { success: boolean } } }
    const { success, error, ...fields } = result.structuredContent
    return { success, fields, code: (error as { code: string } | undefined)?.code }
  } catch {
    return undefined
  }
}

describe(`an edge that is restarted (MILLWRIGHT_KILLS_SEED=${SEED})`, () => {
  it('twenty times in the middle of calls loses nothing and does nothing twice', { timeout: TEST_MS }, async () => {
    const files = Object.fromEntries(Array.from({ length: RESTARTS }, (_, round) => [`note-${round}.txt`, 'old\n']))
    const backoff = { firstMs: 50, maxMs: 50, healthyMs: 60_000 }
    const live = await startLiveStack({ model: 'demo', backoff, files })
    const random = createSeededRandom(SEED)
    let unanswered = 0

    /** As a caller does who may: the same again, until it is answered. */
    async function insist(name: string, args: Fields): Promise<Told> {
      for (;;) {
        const told = await tryOnce(live, name, args)
        if (told !== undefined && (told.success || !PASSING.has(told.code ?? ''))) return told
        if (told === undefined) unanswered++
        await setTimeout(50)
      }
    }

    try {
      const jobs: Promise<Told>[] = []
      for (let round = 0; round < RESTARTS; round++) {
        const agent_id = `user${round}`
        const managed_file = `${agent_id}.py`
        const created = await insist('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: '' })
        // What was done although the answer was lost is there already.
        if (!created.success) expect(created.code).toBe('already_exists')
        const task = {
          agent_id,
          message: 'Create a User model with id, name, email',
          idempotency_key: `task-${round}`,
          wait_seconds: 20,
        }
        jobs.push(insist('chat_with_agent', task))
        const path = `note-${round}.txt`
        const written = insist('update_file', { path, edits: [{ search: 'old', replace: 'new' }] })
        const read = insist('read_file', { path })

        await setTimeout(random.below(MOMENT_MS_MAX))
        const before = live.stack.pids().functions ?? 0
        process.kill(before, random.below(4) === 0 ? 'SIGTERM' : 'SIGKILL')
        await until(() => live.stack.pids().functions !== undefined && live.stack.pids().functions !== before)

        expect(['old\n', 'new\n']).toContain((await read).fields.content)
        const { success, code } = await written
        // Where the first answer was lost, the second try finds nothing more to replace.
        if (!success) expect(code).toBe('invalid_input')
        expect(live.repository.read(path)).toBe('new\n')
      }

      const client = await connectClient(live.stack.url, live.stack.token)
      const ids = new Set<string>()
      for (const told of await Promise.all(jobs)) {
        expect(told, JSON.stringify(told)).toMatchObject({ success: true })
        const job = String(told.fields.job_id)
        ids.add(job)
        const ended = (await client.ok('get_job', { job_id: job, wait_seconds: 20 })) as unknown as EndedJob
        expect(ended).toMatchObject({ state: 'succeeded', result: { changed: true } })
      }
      expect(ids.size).toBe(RESTARTS)
      const { total } = await client.ok('list_agents', {})
      expect(total).toBe(RESTARTS)
      await client.close()
      const landed = readWrites(live.repository).filter(({ state, job_id }) => state === 'landed' && job_id !== null)
      expect(landed.map(({ job_id }) => job_id).sort()).toEqual([...ids].sort())
      for (let round = 0; round < RESTARTS; round++) {
        expect(live.repository.read(`user${round}.py`)).toContain('class User')
      }
      // Some calls were cut off, or there was nothing to see.
      expect(unanswered).toBeGreaterThan(0)
    } finally {
      await live.stop()
    }
  })
})
