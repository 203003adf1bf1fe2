import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toWorkspaceId } from '#shared/ids.ts'
import { BODY_BYTES_MAX } from '#shared/protocol/limits.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { testSigner } from '#test/support/edge-key.ts'
import { MODERN, modernMessage } from '#test/support/mcp-message.ts'
import { createNatsJobBus } from './adapters/nats/nats-job-bus.ts'
import { createNatsLink, type NatsLink } from './adapters/nats/nats-link.ts'
import { createNatsWorkerCalls } from './adapters/nats/nats-worker-calls.ts'
import { openSqlite, type SqliteFile } from './adapters/node/sqlite.ts'
import { readWebAssets } from './adapters/node/web-assets.ts'
import { createApp, type EdgeApp } from './app.ts'
import { createBearerTokenAuthenticator } from './auth/bearer-token.ts'
import type { Registry } from './ports/registry.ts'
import { createSqlRegistry } from './registry/sql-registry.ts'

// The app without a server: what it decides before any tool runs. The bus is the real one, and down.

const TOKEN = 'mw_test'
let folder: string
let sqlite: SqliteFile
let link: NatsLink
let app: EdgeApp
let registry: Registry
const logged: string[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-app-'))
  sqlite = openSqlite(join(folder, 'registry.sqlite'))
  const log = {
    info: () => undefined,
    error: (message: string, error: unknown) => void logged.push(`${message} ${error}`),
  }
  link = createNatsLink(() => Promise.reject(new Error('no server')), log)
  const clock = { now: () => Date.now() }
  registry = createSqlRegistry(sqlite, clock, log)
  app = createApp({
    workspace: toWorkspaceId('test'),
    version: '1.2.3',
    hostnames: ['localhost', '127.0.0.1', '[::1]'],
    authenticator: createBearerTokenAuthenticator(TOKEN),
    registry: { ...registry, countAgents: () => Promise.reject(new Error('secret detail of /home/somebody')) },
    workers: createNatsWorkerCalls(link, testSigner),
    bus: createNatsJobBus(link, testSigner),
    clock,
    log,
    process: { memoryBytes: () => 0 },
    assets: readWebAssets(fileURLToPath(new URL('../web/dist', import.meta.url))),
  })
})

afterAll(async () => {
  await app.close()
  await link.close()
  sqlite.close()
  rmSync(folder, { recursive: true })
})

interface Sent {
  method?: string
  path?: string
  headers?: Record<string, string | undefined>
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream | null
}

async function send({ method = 'POST', path = '/mcp', headers = {}, body = null }: Sent): Promise<Response> {
  const all = {
    host: '127.0.0.1:8000',
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }
  const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return app.fetch(
    new Request(`http://127.0.0.1:8000${path}`, {
      method,
      headers: present,
      ...(method === 'GET' || body === null ? {} : { body, duplex: 'half' }),
    }),
  )
}

/** A call of the 2026 era, with the headers that go with it. */
function modern(
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string | undefined> = {},
): Sent {
  const message = modernMessage(method, params, { id: 7 })
  return { ...message, headers: { ...message.headers, ...headers } }
}

/** The last JSON-RPC message of a response, be it plain JSON or a stream. */
async function rpc(response: Response) {
  const text = await response.text()
  const line = text.startsWith('event:') || text.startsWith(':') ? text.trimEnd().split('\ndata: ').at(-1) : text
  return JSON.parse(line ?? '')
}

const call = (name: string, args: unknown, extra: Record<string, unknown> = {}) =>
  send(modern('tools/call', { name, arguments: args, ...extra })).then(rpc)

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

describe('http', () => {
  it.each([
    ['127.0.0.1:1', 'POST'],
    ['localhost', 'POST'],
    ['[::1]:8000', 'POST'],
  ])('answers to the name %s', async (host) => {
    expect((await send({ headers: { host }, body: list })).status).toBe(200)
  })

  it.each([
    [{ host: 'evil.example:8787' }],
    [{ host: '127.0.0.1.evil.example' }],
    [{ host: 'localhost@evil.example' }],
    [{ host: undefined }],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ origin: 'http://localhost.evil.example' }],
  ])('refuses %j before it asks who calls', async (headers) => {
    const response = await send({ headers: { ...headers, authorization: undefined }, body: list })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { data: { code: 'forbidden' } }, id: null })
    expect((await send({ path: '/healthz', method: 'GET', headers })).status).toBe(403)
  })

  it('lets a page of its own call', async () => {
    expect((await send({ headers: { origin: 'http://localhost:8000' }, body: list })).status).toBe(200)
  })

  it.each([undefined, 'Basic %%%', 'Bearer wrong', 'Bearer '])('answers 401 to %j', async (authorization) => {
    const response = await send({ headers: { authorization }, body: list })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
    expect(await response.json()).toMatchObject({ error: { data: { code: 'unauthenticated' } } })
  })

  it('takes no token from the address', async () => {
    const response = await send({
      path: `/mcp?access_token=${TOKEN}`,
      headers: { authorization: undefined },
      body: list,
    })
    expect(response.status).toBe(401)
  })

  it('asks who calls before it looks into the body', async () => {
    const response = await send({ headers: { authorization: undefined }, body: '{broken' })
    expect(response.status).toBe(401)
  })

  it('refuses a declared length over the limit', async () => {
    const response = await send({ headers: { 'content-length': String(BODY_BYTES_MAX + 1) }, body: list })
    expect(response.status).toBe(413)
  })

  it('counts a body that declares no length, and stops taking it', async () => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 65_536
        if (sent > 20_000_000) controller.close()
        else controller.enqueue(new Uint8Array(65_536).fill(0x78))
      },
    })
    expect((await send({ body })).status).toBe(413)
    expect(sent).toBeLessThan(BODY_BYTES_MAX + 10 * 65_536)
  })

  it('takes a body in pieces', async () => {
    const bytes = new TextEncoder().encode(list)
    const body = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    expect((await send({ body })).status).toBe(200)
  })

  it.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'text/plain; x=application/json' },
    { 'content-type': undefined },
    { 'content-encoding': 'gzip' },
  ])('refuses %j as a medium', async (headers) => {
    const body = 'content-encoding' in headers ? new Uint8Array(gzipSync('0'.repeat(1_000_000))) : list
    expect((await send({ headers, body })).status).toBe(415)
  })

  it.each([
    ['not JSON', '{"a":', -32700],
    ['an empty body', '', -32700],
    ['invalid UTF-8', new Uint8Array(Buffer.from('eyJhIjoi/yJ9', 'base64')), -32700],
    ['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), -32600],
    ['690,000 levels of objects', `${'{"a":'.repeat(690_000)}1${'}'.repeat(690_000)}`, -32600],
    ['a batch', `[${list},${list}]`, -32600],
    ['other spellings', '{"JSONRPC":"2.0","ID":1,"Method":"tools/list"}', -32600],
    ['no method', '{"jsonrpc":"2.0","id":1}', -32600],
    ['a string', '"tools/list"', -32600],
    ['null', 'null', -32600],
    ['an older JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', -32600],
  ])('answers 400 to %s', async (_name, body, code) => {
    const response = await send({ body })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code } })
  })

  it('takes the last of two equal keys, for everybody', async () => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'
    expect((await rpc(await send({ body }))).result.tools).toHaveLength(catalogue.length)
  })

  it('has no stream to get and no session to delete', async () => {
    expect((await send({ method: 'GET' })).status).toBe(405)
    expect((await send({ method: 'DELETE' })).status).toBe(405)
  })

  it('ignores X-HTTP-Method-Override', async () => {
    expect((await send({ headers: { 'x-http-method-override': 'DELETE' }, body: list })).status).toBe(200)
  })

  it('answers 404 as JSON, and lets nobody keep or guess at an answer', async () => {
    const response = await send({ path: '/nothing', method: 'GET' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await send({ body: list })).headers.get('cache-control')).toMatch(/no-store/)
  })

  it('shows a page without a token, under a policy that lets in nothing but its own files', async () => {
    const start = await send({ method: 'GET', path: '/', headers: { authorization: undefined } })
    expect([start.status, start.headers.get('location')]).toEqual([302, '/orchestrator'])
    const page = await send({ method: 'GET', path: '/orchestrator', headers: { authorization: undefined } })
    const html = await page.text()
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\bon\w+=|style=/)
    for (const [, path = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const asset = await send({ method: 'GET', path, headers: { authorization: undefined } })
      expect(asset.status, path).toBe(200)
    }
  })

  it.each(['/web/../package.json', '/web/%2e%2e%2fpackage.json', '/web/tsconfig.json', '/web/'])(
    'serves nothing but the files of the page: %s',
    async (path) => {
      expect((await send({ method: 'GET', path })).status).toBe(404)
    },
  )

  it('says how it is without a token, and nothing else', async () => {
    const response = await send({ path: '/healthz', method: 'GET', headers: { authorization: undefined } })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'ok', registry: true, nats: false, version: '1.2.3' })
  })
})

describe('mcp, 2026 era', () => {
  it('lists every tool with its schemas, made once', async () => {
    const { result } = await rpc(await send(modern('tools/list')))
    expect(result.tools.map((tool: { name: string }) => tool.name)).toEqual(catalogue.map((tool) => tool.name))
    expect(result).toMatchObject({ cacheScope: 'private' })
    for (const tool of result.tools) {
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
      expect(tool.outputSchema).toMatchObject({ type: 'object' })
    }
  })

  it.each([
    ['core', (tool: (typeof catalogue)[number]) => tool.core],
    ['git', (tool: (typeof catalogue)[number]) => tool.family === 'git'],
    ['agents,git', (tool: (typeof catalogue)[number]) => ['agents', 'git'].includes(tool.family)],
    ['core,jobs', (tool: (typeof catalogue)[number]) => tool.core || tool.family === 'jobs'],
  ])('lists ?tools=%s, and runs no other', async (selector, isIn) => {
    const path = `/mcp?tools=${selector}`
    const { result } = await rpc(await send({ ...modern('tools/list'), path }))
    expect(result.tools.map((tool: { name: string }) => tool.name)).toEqual(
      catalogue.filter(isIn).map((tool) => tool.name),
    )
    const hidden = await rpc(await send({ ...modern('tools/call', { name: 'write_file', arguments: {} }), path }))
    expect(hidden.error).toMatchObject({ code: -32602 })
  })

  it.each(['', 'everything', 'git,', 'constructor'])('refuses ?tools=%s', async (selector) => {
    expect((await send({ ...modern('tools/list'), path: `/mcp?tools=${selector}` })).status).toBe(400)
  })

  it('refuses an unknown tool as the specification says', async () => {
    expect((await call('constructor', {})).error).toMatchObject({ code: -32602, message: 'Unknown tool: constructor' })
  })

  it.each([
    ['a missing field', {}, 'path'],
    ['an unknown field', { path: 'a.py', extra: 1 }, 'extra'],
    ['a wrong type', { path: 7 }, 'path'],
    ['a huge string', { path: 'x'.repeat(1_000_000) }, 'path'],
    ['an empty string', { path: '' }, 'path'],
    ['an inherited name', { path: 'a.py', toString: 1 }, 'toString'],
    ['a prototype', JSON.parse('{"path": "a.py", "__proto__": {"limit": 1}}'), '__proto__'],
  ])('answers %s as a refusal that names the field', async (_name, args, field) => {
    const { result } = await call('read_file', args)
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { success: false, error: { code: 'invalid_input' } },
    })
    expect(result.content[0].text).toMatch(/^invalid_input: Cannot read the arguments of read_file: /)
    expect(result.content[0].text).toContain(field)
    expect(result.content[0].text.length).toBeLessThan(500)
  })

  it('refuses arguments that are no object', async () => {
    expect((await call('read_file', null)).error).toMatchObject({ code: -32602 })
    expect((await call('read_file', ['a.py'])).error).toMatchObject({ code: -32602 })
  })

  it.each(['a.>', '*', 'a b', 'a\r\nPUB evil 1\r\nx', 'a..b', '__proto__', "x' OR 1=1 --", '', 'x'.repeat(65)])(
    'refuses %j as an agent',
    async (agentId) => {
      const args = { agent_id: agentId, name: 'n', managed_file: 'a.py', system_prompt: '' }
      const { result } = await call('create_agent', args)
      expect(result.structuredContent.error.code).toBe('invalid_input')
    },
  )

  it.each(['\r\nX-Evil: 1', '00-zz', 7, 'ff-00000000000000000000000000000001-0000000000000001-01'])(
    'refuses %j as a traceparent',
    async (traceparent) => {
      expect((await call('list_jobs', {}, { _meta: { traceparent } })).error).toMatchObject({ code: -32602 })
    },
  )

  it('takes a traceparent', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const { result } = await call('list_jobs', {}, { _meta: { traceparent } })
    expect(result.structuredContent).toEqual({ success: true, jobs: [], next_cursor: null })
  })

  it('wants the headers to agree with the body', async () => {
    const bodies = modern('tools/call', { name: 'delete_file', arguments: { path: 'a' } }).body
    const missing = await send({ headers: { 'mcp-protocol-version': MODERN }, body: bodies ?? null })
    expect(missing.status).toBe(400)
    expect((await rpc(missing)).error.code).toBe(-32020)
    const sentinel = '=?base64?cmVhZF9maWxl?='
    const other = await send(
      modern('tools/call', { name: 'delete_file', arguments: { path: 'a' } }, { 'mcp-name': sentinel }),
    )
    expect(other.status).toBe(400)
    expect((await rpc(other)).error.code).toBe(-32020)
  })

  it('names the versions it speaks to who asks for another', async () => {
    const response = await send(modern('tools/list', {}, { 'mcp-protocol-version': '1999-01-01' }))
    expect(response.status).toBe(400)
    const { error } = await rpc(response)
    expect(error.code).toBe(-32022)
    expect(error.data.supported).toContain(MODERN)
  })

  it('ignores a session id and does not give one', async () => {
    const response = await send(modern('tools/list', {}, { 'mcp-session-id': 'forged' }))
    expect(response.status).toBe(200)
    expect(response.headers.has('mcp-session-id')).toBe(false)
  })

  it('refuses at once, and leaves nothing behind, while the bus is down', async () => {
    expect((await call('read_file', { path: 'a.py' })).result.structuredContent.error.code).toBe('unavailable')
    const workspace = toWorkspaceId('test')
    const { structuredContent: gone } = (await call('chat_with_agent', { agent_id: 'a1', message: 'x' })).result
    expect(gone.error.code).toBe('not_found')
    await sqliteAgent('a1')
    const { structuredContent } = (await call('chat_with_agent', { agent_id: 'a1', message: 'x' })).result
    expect(structuredContent.error.code).toBe('unavailable')
    expect(await registry.countJobs(workspace)).toEqual({ queued: 0, running: 0 })
    const info = (await call('get_agent_info', { agent_id: 'a1' })).result.structuredContent
    expect(info).toMatchObject({ success: true, file: null, file_error: { code: 'unavailable' }, jobs: [] })
  })

  it('tells a caller nothing of what went wrong inside, and the log everything', async () => {
    const { result } = await call('get_server_info', {})
    expect(result.structuredContent.error.code).toBe('internal')
    const id = result.structuredContent.error.details.request_id
    expect(result.content[0].text).toContain(id)
    expect(JSON.stringify(result)).not.toContain('somebody')
    expect(logged.join('\n')).toContain('secret detail of /home/somebody')
  })

  async function sqliteAgent(id: string): Promise<void> {
    sqlite.run(
      `INSERT INTO agents (workspace, agent_id, id_key, file_key, version, name, managed_file, search, created_at,
         updated_at, system_prompt) VALUES ('test', ?, ?, ?, 1, 'n', ?, ?, 0, 0, '')`,
      ...[id, id, `${id}.py`, `${id}.py`, id],
    )
  }
})

describe('mcp beside tools', () => {
  const ask = async (method: string, params: Record<string, unknown>) => {
    const name = params.uri ?? params.name
    const headers = typeof name === 'string' ? { 'mcp-name': name } : {}
    return rpc(await send(modern(method, params, headers)))
  }

  it('lists what the registry knows while the bus is down, and says of the rest that it cannot', async () => {
    const { result } = await ask('resources/list', {})
    expect(result.resources.map(({ uri }: { uri: string }) => uri)).toContain('millwright://rules')
    const { error } = await ask('resources/read', { uri: 'millwright://files/README.md' })
    expect(error).toMatchObject({ code: -32000, message: expect.stringMatching(/^unavailable: /) })
    expect(error.data).toMatchObject({ code: 'unavailable', hint: expect.any(String) })
  })

  it('lets clients keep what changes with the program only', async () => {
    for (const method of ['prompts/list', 'resources/templates/list']) {
      expect((await ask(method, {})).result).toMatchObject({ ttlMs: 300_000, cacheScope: 'private' })
    }
    expect((await ask('resources/list', {})).result).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
  })

  it('has no subscription to what it does not tell of', async () => {
    const { error } = await rpc(
      await send({
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'resources/subscribe',
          params: { uri: 'millwright://rules' },
        }),
      }),
    )
    expect(error).toMatchObject({ code: -32601 })
  })

  it('refuses a cursor that no page returned, a state that nobody gave out, and arguments by names of JavaScript', async () => {
    expect((await ask('resources/list', { cursor: 'x' })).error).toMatchObject({
      code: -32602,
      data: { code: 'invalid_input' },
    })
    for (const [method, params] of [
      ['resources/read', { uri: 'millwright://rules' }],
      ['prompts/get', { name: 'review' }],
    ] as const) {
      expect((await ask(method, { ...params, requestState: 'made up' })).error).toMatchObject({ code: -32602 })
    }
    const named = JSON.parse('{"__proto__": "x", "task": "y"}')
    expect((await ask('prompts/get', { name: 'delegate', arguments: named })).error).toMatchObject({
      code: -32602,
      data: { code: 'invalid_input' },
    })
  })

  it('tells nothing of what went wrong inside', async () => {
    const { error } = await ask('resources/read', { uri: 'millwright://reports/server' })
    expect(error).toMatchObject({ code: -32603, data: { code: 'internal' } })
    expect(JSON.stringify(error)).not.toContain('secret detail')
  })
})
