import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { connectNats } from '#scripts/nats-connect.ts'
import { CallEnvelope, decodeMessage } from '#shared/protocol/envelope.ts'
import { callSubject, WORKER_INBOX } from '#shared/protocol/subjects.ts'
import { messagesOf, nextOf, openSession } from './legacy-messages.ts'
import { type FixtureServer, startConformanceServer } from './server.ts'

// Sessions of 2025-11-25, in both runtimes. What the official tests ask of them they ask in conformance.test.ts; here is what
// a client does that goes away, changes its mind, or ends its session.

let server: FixtureServer
beforeAll(async () => {
  server = await startConformanceServer(inject('conformanceBundle') || null)
})
afterAll(() => server?.close())

describe('a session', () => {
  it('asks its client while a call waits, and takes the answer that comes as another request', async () => {
    const session = await openSession(server.url)
    const messages = messagesOf(await session.call(1, 'test_elicitation', { message: 'Who are you?' }))
    const question = await nextOf(messages)
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who are you?' } })
    const answer = await session.send({
      id: question.id,
      result: { action: 'accept', content: { username: 'u', email: 'e' } },
    })
    expect(answer.status).toBe(202)
    const { result } = await nextOf(messages)
    expect(JSON.stringify(result)).toContain('action=accept')
  })

  it('takes no answer from another session', async () => {
    const [asked, other] = [await openSession(server.url), await openSession(server.url)]
    const messages = messagesOf(await asked.call(1, 'test_elicitation', { message: 'Who are you?' }))
    const { id } = await nextOf(messages)
    await other.send({ id, result: { action: 'accept', content: { username: 'other', email: 'e' } } })
    await asked.send({ id, result: { action: 'decline' } })
    expect(JSON.stringify((await nextOf(messages)).result)).toContain('action=decline')
  })

  it('stops a call that its client cancels, and has a stream on which it says so', async () => {
    const session = await openSession(server.url)
    const said = messagesOf(await session.listen())
    await session.call(7, 'wait_until_cancelled', {})
    await session.send({ method: 'notifications/cancelled', params: { requestId: 7, reason: 'Changed my mind' } })
    expect(await nextOf(said)).toMatchObject({ method: 'notifications/message', params: { data: 'Cancelled' } })
    expect((await session.listen()).status).toBe(409)
  })

  it('is 404 for all that names it once its client has ended it, and its stream ends', async () => {
    const session = await openSession(server.url)
    const stream = await session.listen()
    expect((await session.send({ id: 1, method: 'tools/list' })).status).toBe(200)
    expect((await session.end()).status).toBe(200)
    expect(await stream.text()).not.toContain('data:')
    for (const again of [
      () => session.send({ id: 2, method: 'tools/list' }),
      () => session.call(3, 'list_agents', {}),
      () => session.send({ method: 'notifications/initialized' }),
      () => session.listen(),
      () => session.end(),
    ]) {
      expect((await again()).status).toBe(404)
    }
    const next = await openSession(server.url)
    expect(next.id).not.toBe(session.id)
    expect((await next.send({ id: 4, method: 'tools/list' })).status).toBe(200)
  })
})

describe('a client of 2025-11-25', () => {
  it('takes its job with it when it goes away', async () => {
    const worker = await connectNats(server.workerNatsUrl, { name: 'worker', inboxPrefix: WORKER_INBOX })
    try {
      playWorker()
      await worker.flush()
      const session = await openSession(server.url)
      const leaving = new AbortController()
      const answer = await session.call(1, 'run_tests', { wait_seconds: 40 }, leaving.signal)
      expect(answer.headers.get('content-type')).toContain('text/event-stream')
      await expect.poll(jobStates).toEqual(['queued'])
      leaving.abort()
      await expect.poll(jobStates, { timeout: 10_000 }).toEqual(['cancelled'])
    } finally {
      await worker.close()
    }

    /** One that is there, which is all that a call waits for. */
    function playWorker(): void {
      worker.subscribe(callSubject(server.workspace, 'system'), {
        callback: (_error, message) => {
          const { id } = decodeMessage('a call', CallEnvelope, message.data)
          message.respond(JSON.stringify({ v: 1, id, ok: true, result: workerInfo }))
        },
      })
    }
    async function jobStates(): Promise<unknown[]> {
      const session = await openSession(server.url)
      const { result } = (await (await session.call(1, 'list_jobs', {})).json()) as {
        result: { structuredContent: { jobs: { state: string }[] } }
      }
      return result.structuredContent.jobs.map(({ state }) => state)
    }
  })
})

const workerInfo = {
  worker_id: 'w1',
  version: '0.0.0',
  repository: 'sample',
  started_at: '2026-01-01T00:00:00.000Z',
  models: [],
  gpu: null,
  memory: { daemon_bytes: 1, model_bytes: null, machine_bytes: 1 },
  jobs_running: 0,
  notices: [],
}
