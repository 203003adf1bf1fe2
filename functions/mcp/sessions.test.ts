import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toWorkspaceId } from '#shared/ids.ts'
import { testSigner } from '#test/support/edge-key.ts'
import { createNatsJobBus } from '../adapters/nats/nats-job-bus.ts'
import { createNatsLink, type NatsLink } from '../adapters/nats/nats-link.ts'
import { createNatsWorkerCalls } from '../adapters/nats/nats-worker-calls.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import { readWebAssets } from '../adapters/node/web-assets.ts'
import { createApp, type EdgeApp } from '../app.ts'
import { createBearerTokenAuthenticator } from '../auth/bearer-token.ts'
import { createSqlRegistry } from '../registry/sql-registry.ts'
import { IDLE_MS_MAX, SESSIONS_OF_HOLDER_MAX } from './sessions.ts'

// How long a process keeps the sessions of the older era: by the whole app, on a clock of the test's. The objects that have
// them in workerd: test/workerd/sessions.test.ts.

const TOKEN = 'mw_test'
let folder: string
let sqlite: SqliteFile
let link: NatsLink
let app: EdgeApp
let nowMs: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-sessions-'))
  sqlite = openSqlite(join(folder, 'registry.sqlite'))
  nowMs = Date.UTC(2026, 0, 1)
  const clock = { now: () => nowMs }
  const log = { info: () => undefined, error: () => undefined }
  link = createNatsLink(() => Promise.reject(new Error('no server')), log)
  app = createApp({
    workspace: toWorkspaceId('test'),
    version: '1.2.3',
    hostnames: ['localhost'],
    authenticator: createBearerTokenAuthenticator(TOKEN),
    registry: createSqlRegistry(sqlite, clock, log),
    workers: createNatsWorkerCalls(link, testSigner),
    bus: createNatsJobBus(link, testSigner),
    clock,
    log,
    process: { memoryBytes: () => 0 },
    assets: readWebAssets(fileURLToPath(new URL('../../web/dist', import.meta.url))),
  })
})
afterEach(async () => {
  await app.close()
  await link.close()
  sqlite.close()
  rmSync(folder, { recursive: true })
})

async function request(method: string, session: string | null, message?: object): Promise<Response> {
  const headers = {
    host: 'localhost',
    authorization: `Bearer ${TOKEN}`,
    accept: 'application/json, text/event-stream',
    ...(message === undefined ? {} : { 'content-type': 'application/json' }),
    ...(session === null ? {} : { 'mcp-session-id': session }),
  }
  const body = message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }
  return app.fetch(new Request('http://localhost/mcp', { method, headers, ...body }))
}

async function open(): Promise<string> {
  const clientInfo = { name: 'sessions-test', version: '1.0.0' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const hello = await request('POST', null, { id: 0, method: 'initialize', params })
  await hello.text()
  return hello.headers.get('mcp-session-id') ?? expect.unreachable('A session was given')
}

const listen = (session: string) => request('GET', session)
/** That somebody listens already is said of a session that is there. */
const LISTENED = 409
const NOT_THERE = 405

describe('a session', () => {
  it('lasts while its client listens, and half an hour longer', async () => {
    const [listening, silent] = [await open(), await open()]
    const stream = await listen(listening)
    expect(stream.status).toBe(200)
    for (let hour = 0; hour < 3; hour++) {
      nowMs += 2 * IDLE_MS_MAX
      // A new one makes room.
      await open()
    }
    expect((await listen(silent)).status).toBe(NOT_THERE)
    expect((await listen(listening)).status).toBe(LISTENED)
    nowMs += 2 * IDLE_MS_MAX
    await stream.body?.cancel()
    nowMs += IDLE_MS_MAX
    const again = await listen(listening)
    expect(again.status).toBe(200)
    await again.body?.cancel()
    nowMs += IDLE_MS_MAX + 1
    expect((await listen(listening)).status).toBe(NOT_THERE)
  })

  it('to which nobody listens makes room for a new one first', async () => {
    const listened = await open()
    const stream = await listen(listened)
    const silent = await open()
    for (let count = 2; count <= SESSIONS_OF_HOLDER_MAX; count++) await open()
    expect((await listen(silent)).status).toBe(NOT_THERE)
    expect((await listen(listened)).status).toBe(LISTENED)
    await stream.body?.cancel()
  })

  it('ends with its stream where all that a person may have are listened to, the oldest first', async () => {
    const sessions: string[] = []
    const streams: Response[] = []
    for (let count = 0; count < SESSIONS_OF_HOLDER_MAX; count++) {
      const session = await open()
      sessions.push(session)
      streams.push(await listen(session))
    }
    const newest = await open()
    expect(await streams[0]?.text()).not.toContain('data:')
    expect((await listen(sessions[0] ?? '')).status).toBe(NOT_THERE)
    expect((await listen(sessions[1] ?? '')).status).toBe(LISTENED)
    expect((await listen(newest)).status).toBe(200)
    await Promise.all(streams.slice(1).map(({ body }) => body?.cancel()))
  })
})
