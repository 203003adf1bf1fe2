import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { modernMessage, postMessage } from '#test/support/mcp-message.ts'
import { type LegacySession, messagesOf, nextOf, openSession } from './legacy-messages.ts'
import { type FixtureServer, startConformanceServer } from './server.ts'

// Proxies cut a stream on which nothing comes. Every kind of stream that the edge opens, in both runtimes, at the same time, so
// that the seconds are waited for once.

/** What no stream may be silent for. */
const SILENCE_MS_MAX = 15_000
/** A little longer, so that a silence shows. */
const WATCH_MS = 16_000

let server: FixtureServer
let session: LegacySession
let job: string
beforeAll(async () => {
  server = await startConformanceServer(inject('conformanceBundle') || null)
  session = await openSession(server.url)
  // Nobody does it, so whoever waits for it waits.
  const { result } = await nextOf(messagesOf(await session.call(1, 'run_tests', { wait_seconds: 0 })))
  job = v.parse(v.object({ structuredContent: v.object({ job_id: v.string() }) }), result).structuredContent.job_id
})
afterAll(() => server?.close())

it('no stream is silent for fifteen seconds', { timeout: 60_000 }, async () => {
  const leaving = new AbortController()
  const { signal } = leaving
  const subscribed = { resourceSubscriptions: ['millwright://reports/server'] }
  const waiting = { name: 'get_job', arguments: { job_id: job, wait_seconds: 40 } }
  const streams = {
    'the stream of a session': session.listen(signal),
    'a call that asks its client': session.call(2, 'test_elicitation', { message: 'Who are you?' }, signal),
    'a call that waits, of 2025-11-25': session.call(3, waiting.name, waiting.arguments, signal),
    'a call that waits, of 2026-07-28': postMessage(
      server.url,
      undefined,
      modernMessage('tools/call', waiting),
      signal,
    ),
    'a subscription': postMessage(
      server.url,
      undefined,
      modernMessage('subscriptions/listen', { notifications: subscribed }),
      signal,
    ),
  }
  const watched = await Promise.all(
    Object.entries(streams).map(async ([name, opening]) => {
      const response = await opening
      expect(response.headers.get('content-type'), name).toContain('text/event-stream')
      return { name, ...(await watch(response)) }
    }),
  )
  leaving.abort()
  expect(watched).toEqual(Object.keys(streams).map((name) => ({ name, open: true, silenceMs: expect.any(Number) })))
  for (const { name, silenceMs } of watched) expect(silenceMs, name).toBeLessThan(SILENCE_MS_MAX)
})

/** The longest silence on a stream, and whether it was still open at the end. */
async function watch({ body }: Response): Promise<{ open: boolean; silenceMs: number }> {
  if (body === null) return { open: false, silenceMs: 0 }
  const reader = body.getReader()
  const until = performance.now() + WATCH_MS
  let heardAt = performance.now()
  let silenceMs = 0
  for (;;) {
    const left = setTimeout(until - performance.now(), 'over' as const)
    const heard = await Promise.race([reader.read().catch(() => ({ done: true })), left])
    silenceMs = Math.max(silenceMs, performance.now() - heardAt)
    heardAt = performance.now()
    if (heard === 'over') return { open: true, silenceMs }
    if (heard.done) return { open: false, silenceMs }
  }
}
