import type { NatsConnection } from '@nats-io/nats-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { WorkerCalls } from '#functions/ports/worker-calls.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { CallEnvelope, decodeMessage } from '#shared/protocol/envelope.ts'
import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { callSubject } from '#shared/protocol/subjects.ts'

export interface WorkerCallsUnderTest {
  /** `abortAfterMs`: when its signal aborts; it has none for null. */
  call(
    family: Parameters<WorkerCalls['call']>[0],
    envelope: CallEnvelope,
    timeoutMs: number,
    abortAfterMs: number | null,
  ): ReturnType<WorkerCalls['call']>
  /** Connected as a worker is. */
  readonly worker: NatsConnection
  stopNats(): Promise<void>
}

let callCount = 0
const envelope = (workspace: string, args: Record<string, unknown> = {}): CallEnvelope => {
  callCount++
  return {
    v: 1,
    id: `call-${callCount}`,
    workspace: toWorkspaceId(workspace),
    caller: { subject: 'owner' },
    tool: 'read_file',
    args,
    agent: null,
    deadline: Date.now() + 60_000,
  }
}

/** What all calls to workers must do. `create` gives them connected, with nobody who answers. */
export function describeWorkerCalls(name: string, create: () => Promise<WorkerCallsUnderTest>): void {
  describe(`worker calls: ${name}`, () => {
    let world: WorkerCallsUnderTest
    beforeAll(async () => {
      world = await create()
    })

    /** Plays the worker of one workspace; `answer` gives the bytes of the reply, or null for none. */
    async function answerIn(workspace: string, answer: (call: CallEnvelope) => string | Uint8Array | null) {
      world.worker.subscribe(callSubject(toWorkspaceId(workspace), 'files'), {
        callback: (_error, message) => {
          const reply = answer(decodeMessage('a call', CallEnvelope, message.data))
          if (reply !== null) message.respond(reply)
        },
      })
      await world.worker.flush()
    }

    it('bring the call to the worker whole, and its reply back', async () => {
      const text = 'ä 🙂 \u0000 \u2028'.repeat(1000)
      await answerIn('echo', ({ id, args }) => JSON.stringify({ v: 1, id, ok: true, result: { args } }))
      const call = envelope('echo', { text, nothing: null, nested: { deep: [1, 2.5, false] } })
      expect(await world.call('files', call, 5000, null)).toEqual({
        v: 1,
        id: call.id,
        ok: true,
        result: { args: call.args },
      })
    })

    it("give a worker's refusal as it is", async () => {
      const error = { code: 'not_owner', message: 'Cannot write "a.py"', hint: 'Ask "a"', details: { owner: 'a' } }
      await answerIn('refuses', ({ id }) => JSON.stringify({ v: 1, id, ok: false, error }))
      const call = envelope('refuses')
      expect(await world.call('files', call, 5000, null)).toEqual({ v: 1, id: call.id, ok: false, error })
    })

    it('keep many calls at once apart', async () => {
      await answerIn('many', ({ id, args }) => JSON.stringify({ v: 1, id, ok: true, result: { number: args.number } }))
      const numbers = Array.from({ length: 100 }, (_, number) => number)
      const replies = await Promise.all(
        numbers.map((number) => world.call('files', envelope('many', { number }), 10_000, null)),
      )
      expect(replies.map((reply) => reply.ok && reply.result.number)).toEqual(numbers)
    })

    it('refuse at once where no worker is', async () => {
      await expect(world.call('files', envelope('nobody'), 20_000, null)).rejects.toMatchObject({
        code: 'worker_offline',
        hint: expect.stringContaining('npm run worker'),
      })
    })

    it('give up at the time limit', async () => {
      await answerIn('silent', () => null)
      await expect(world.call('files', envelope('silent'), 200, null)).rejects.toMatchObject({ code: 'timeout' })
    })

    it('wait no longer when the signal aborts', async () => {
      await answerIn('slow', () => null)
      await expect(world.call('files', envelope('slow'), 20_000, 100)).rejects.toMatchObject({ code: 'cancelled' })
    })

    it('refuse what the bus cannot carry, and go on', async () => {
      const text = 'x'.repeat(NATS_PAYLOAD_BYTES_MAX)
      await expect(world.call('files', envelope('echo', { text }), 5000, null)).rejects.toMatchObject({
        code: 'too_large',
      })
      expect((await world.call('files', envelope('echo', {}), 5000, null)).ok).toBe(true)
    })

    it.each([
      ['nothing', ''],
      ['no JSON', '{'],
      ['another shape', '{"v":1,"ok":true}'],
      ['another version', '{"v":2,"id":"x","ok":true,"result":{}}'],
      ['no UTF-8', Uint8Array.of(0xff, 0xfe)],
      ['the reply to another call', '{"v":1,"id":"other","ok":true,"result":{}}'],
    ])('do not blame the caller for %s', async (what, reply) => {
      const workspace = `nonsense-${what.replaceAll(' ', '-').toLowerCase()}`
      await answerIn(workspace, () => reply)
      const failed = await world.call('files', envelope(workspace), 5000, null).catch((error: unknown) => error)
      expect(failed).toBeInstanceOf(Error)
      expect(failed).not.toHaveProperty('code')
    })

    // The last: the worker's connection does not come back.
    it('are unavailable without a server', async () => {
      await world.stopNats()
      await expect
        .poll(() => world.call('files', envelope('echo'), 1000, null).catch((error) => error.code), { timeout: 5000 })
        .toBe('unavailable')
    })
  })
}
