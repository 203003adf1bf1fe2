import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWorkerdBundle, readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { wranglerConfig } from '#scripts/wrangler.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { eventsSubject } from '#shared/protocol/subjects.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'
import { silenceWorkerd } from '#test/support/silence-workerd.ts'
import type { SessionsQuestion } from '#test/support/workerd-sessions/entry.ts'
import { messagesOf, nextOf } from '../conformance/legacy-messages.ts'

// The objects that have the sessions of 2025-11-25: whose they are, how many, for how long, and what they outlive. What clients
// see of them in both runtimes: test/conformance/sessions.test.ts.

const HOUR_MS = 60 * 60_000
const anna = { subject: 'u_anna', workspace: toWorkspaceId('here') }
const strangers = [
  { subject: 'u_ben', workspace: anna.workspace },
  { subject: anna.subject, workspace: toWorkspaceId('there') },
]

const folder = mkdtempSync(join(tmpdir(), 'millwright-sessions-'))
let nats: NatsWorld
let miniflare: Miniflare
let url: URL
beforeAll(async () => {
  nats = await startNatsWorld([anna.workspace])
  const file = join(import.meta.dirname, '..', 'support', 'workerd-sessions', 'entry.ts')
  await buildWorkerdBundle(folder, wranglerConfig, { file, objects: {} })
  const bundle = readWorkerdBundle(folder)
  miniflare = new Miniflare({
    ...bundle,
    bindings: {
      ...bundle.bindings,
      NATS_URL: nats.server().webSocketUrl('edge'),
      MILLWRIGHT_TOKEN: 'x'.repeat(43),
      MILLWRIGHT_SIGNING_KEY: 'A'.repeat(43),
    },
    cf: false,
    handleRuntimeStdio: silenceWorkerd,
  })
  url = await miniflare.ready
}, 120_000)
afterAll(async () => {
  await miniflare?.dispose()
  await nats?.close()
  rmSync(folder, { recursive: true, force: true })
})

const post = (question: SessionsQuestion) => fetch(url, { method: 'POST', body: JSON.stringify(question) })
const ask = (session: string | null, message: object | null, { holder = anna, method = 'POST' } = {}) =>
  post({ kind: 'ask', session, holder, method, message: message === null ? null : { jsonrpc: '2.0', ...message } })
const listen = (session: string, signal: AbortSignal) =>
  fetch(url, {
    method: 'POST',
    body: JSON.stringify({
      kind: 'ask',
      session,
      holder: anna,
      method: 'GET',
      message: null,
    } satisfies SessionsQuestion),
    signal,
  })
const tell = async (session: string, method: Extract<SessionsQuestion, { kind: 'object' }>['method']) =>
  (await post({ kind: 'object', session, method })).json()
const hasEnded = async (session: string, holder = anna) => (await post({ kind: 'hasEnded', session, holder })).json()

async function open(holder = anna): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'sessions-test', version: '1.0.0' },
  }
  const hello = await ask(null, { id: 0, method: 'initialize', params }, { holder })
  await hello.text()
  return hello.headers.get('mcp-session-id') ?? ''
}

/** What the asker gets for a message that any session takes. */
const statusOf = async (session: string, holder = anna) =>
  (await ask(session, { method: 'notifications/initialized' }, { holder })).status
const THERE = 202
const NOT_THERE = 204

describe('the object of a session', () => {
  it('has an id that is not to be guessed, and is there for its holder in their workspace alone', async () => {
    const session = await open()
    expect(session).toMatch(/^[0-9a-f]{64}$/)
    expect(await statusOf(session)).toBe(THERE)
    for (const holder of strangers) {
      expect(await statusOf(session, holder)).toBe(NOT_THERE)
      expect((await ask(session, null, { holder, method: 'DELETE' })).status).toBe(NOT_THERE)
      expect((await ask(session, null, { holder, method: 'GET' })).status).toBe(NOT_THERE)
    }
    expect(await statusOf(session)).toBe(THERE)
  })

  it('is not there for an id that was never given out, whatever it looks like', async () => {
    const [own, other] = [await open(), await open()]
    for (const id of ['', 'forged', crypto.randomUUID(), '0'.repeat(64), own.slice(0, 32) + other.slice(32)]) {
      expect(await statusOf(id), id).toBe(NOT_THERE)
      expect(await hasEnded(id), id).toBe(false)
    }
  })

  it('begins with a greeting that is one, and else leaves nothing behind', async () => {
    const refused = await ask(null, { id: 0, method: 'initialize', params: {} })
    expect(refused.status).toBe(400)
    expect(refused.headers.has('mcp-session-id')).toBe(false)
  })

  it('knows after it was put away what its client can do, and asks it', async () => {
    const session = await open()
    await tell(session, 'putAway')
    const call = { id: 1, method: 'tools/call', params: { name: 'test_elicitation', arguments: { message: 'Who?' } } }
    const messages = messagesOf(await ask(session, call))
    const { id, method } = await nextOf(messages)
    expect(method).toBe('elicitation/create')
    await ask(session, { id, result: { action: 'decline' } })
    expect(JSON.stringify((await nextOf(messages)).result)).toContain('action=decline')
  })

  it('knows after it was put away what its client subscribed to, and tells of it on the next stream', async () => {
    const session = await open()
    await ask(session, { method: 'notifications/initialized' })
    const uriOf = (name: string) => `millwright://files/${name}.txt`
    const request = async (method: string, name: string) => {
      const answer = await ask(session, { id: 1, method, params: { uri: uriOf(name) } })
      expect(await answer.text()).toContain('"result":{}')
    }
    for (const name of ['left', 'kept', 'kept']) await request('resources/subscribe', name)
    await request('resources/unsubscribe', 'left')
    await tell(session, 'putAway')

    const leaving = new AbortController()
    const told: unknown[] = []
    const hear = async () => {
      for await (const { method, params } of messagesOf(await listen(session, leaving.signal))) {
        if (method === 'notifications/resources/updated') told.push(params?.uri)
      }
    }
    const hearing = hear().catch(() => undefined)
    const change = () => {
      for (const path of ['left.txt', 'kept.txt']) {
        nats.worker.publish(eventsSubject(anna.workspace), JSON.stringify({ v: 1, type: 'file_changed', path }))
      }
      return true
    }
    // Of what may have changed meanwhile.
    await expect.poll(() => told, { timeout: 20_000 }).toEqual([uriOf('kept')])
    await expect.poll(() => change() && told.length, { timeout: 20_000, interval: 200 }).toBeGreaterThan(2)
    expect(new Set(told)).toEqual(new Set([uriOf('kept')]))
    leaving.abort()
    await hearing
  })

  it('remembers that its client has ended it, for its holder, until the alarm', async () => {
    const session = await open()
    await tell(session, 'putAway')
    expect((await ask(session, null, { method: 'DELETE' })).status).toBe(200)
    expect(await statusOf(session)).toBe(NOT_THERE)
    expect(await hasEnded(session)).toBe(true)
    const other = await open()
    expect((await ask(other, null, { method: 'DELETE' })).status).toBe(200)
    await tell(other, 'putAway')
    for (const holder of strangers) expect(await hasEnded(other, holder)).toBe(false)
    await tell(other, 'fireAlarm')
    expect(await tell(other, 'alarmAt')).toBe(null)
  })

  it('ends half an hour after its last use, by its alarm', async () => {
    const session = await open()
    const alarmAt = Number(await tell(session, 'alarmAt'))
    expect(alarmAt - Date.now()).toBeGreaterThan(HOUR_MS / 2)
    expect(alarmAt - Date.now()).toBeLessThan(HOUR_MS / 2 + 61_000)
    await tell(session, 'fireAlarm')
    expect(await statusOf(session)).toBe(NOT_THERE)
    // That nobody ended it: its client goes on without one.
    expect(await hasEnded(session)).toBe(false)
  })

  it('ends where its holder has two hundred newer ones, and nobody else’s does', async () => {
    const ben = { subject: 'u_ben', workspace: anna.workspace }
    const bens = await open(ben)
    const many = { subject: 'u_many', workspace: anna.workspace }
    const [first, second] = [await open(many), await open(many)]
    for (let opened = 2; opened < 200; opened += 18) {
      await Promise.all(Array.from({ length: 18 }, () => open(many)))
    }
    // Nobody uses the first two meanwhile: that would make them newer.
    await open(many)
    expect(await statusOf(first, many)).toBe(NOT_THERE)
    expect(await statusOf(second, many)).toBe(THERE)
    expect(await statusOf(bens, ben)).toBe(THERE)
  })

  // The last: it moves the clock of all objects.
  it('lasts while its client listens, and half an hour longer', async () => {
    const halfHourMs = HOUR_MS / 2
    let passedMs = 0
    const pass = async (ms: number) => {
      await post({ kind: 'pass', ms })
      passedMs += ms
    }
    /** Milliseconds from now to when it would end, were it not used any more. */
    const leftMs = async (session: string) => Number(await tell(session, 'alarmAt')) - Date.now() - passedMs
    const session = await open()
    const leaving = new AbortController()
    const stream = await listen(session, leaving.signal)
    expect(stream.status).toBe(200)
    for (let times = 0; times < 2; times++) {
      await pass(halfHourMs + 60_000)
      await tell(session, 'fireAlarm')
      expect(await leftMs(session)).toBeGreaterThan(halfHourMs)
    }
    expect((await ask(session, null, { method: 'GET' })).status).toBe(409)
    await pass(halfHourMs / 2)
    expect(await leftMs(session)).toBeLessThan(halfHourMs)
    leaving.abort()
    // That it has gone may be noticed only when something is written to it.
    await expect.poll(() => leftMs(session), { timeout: 40_000, interval: 200 }).toBeGreaterThan(halfHourMs)
    const again = new AbortController()
    expect((await listen(session, again.signal)).status).toBe(200)
    again.abort()
    // An alarm that is due before it was noticed leaves the session for another half hour.
    const fireAlarm = async () => {
      await pass(halfHourMs + 60_000)
      await tell(session, 'fireAlarm')
      return tell(session, 'alarmAt')
    }
    await expect.poll(fireAlarm, { timeout: 40_000, interval: 1000 }).toBe(null)
    expect(await statusOf(session)).toBe(NOT_THERE)
  })
})
