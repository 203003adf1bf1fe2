import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { createToken } from '#functions/auth/tokens.ts'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { MODERN, modernMessage } from '#test/support/mcp-message.ts'

// The open collection of hostile inputs, areas http and auth. Those of http are sent to the edge as it runs, byte for byte;
// those of auth stand beside what they are about, and this file knows where.

const file: unknown = JSON.parse(readFileSync(new URL('../fixtures/bad-inputs-edge.json', import.meta.url), 'utf8'))
const { items } = v.parse(v.object({ items: v.array(v.object({ id: v.string(), area: v.string() })) }), file)
const idsOf = (area: string) => items.filter((item) => item.area === area).map(({ id }) => id)

const workspace = toWorkspaceId('hostile')
let folder: string
let edge: EdgeServer
let sqlite: SqliteFile
let member: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-hostile-http-'))
  edge = await serveEdge(
    parseConfig({
      NATS_URL: 'nats://127.0.0.1:1',
      MILLWRIGHT_DATA: join(folder, 'edge'),
      MILLWRIGHT_WORKSPACE: workspace,
      MILLWRIGHT_PORT: '0',
    }),
    { info: () => undefined, error: () => undefined },
  )
  sqlite = openSqlite(join(folder, 'edge', 'registry.sqlite'))
  const accounts = createSqlAccounts(sqlite, { now: () => Date.now() })
  const { user_id } = await accounts.ensureUser('Bert')
  await accounts.setRole(user_id, workspace, 'reader')
  const { token, hash } = await createToken('named')
  await accounts.addNamedToken({
    token_id: 't_bert',
    hash,
    user_id,
    workspace,
    scopes: ['read'],
    name: 'bert',
    expires_at: Date.now() + 60 * 60_000,
  })
  member = token
  // When a token was last used is written down once in a while, so not again below.
  expect((await send({ headers: { authorization: `Bearer ${member}` }, body: list })).status).toBe(200)
})

afterAll(async () => {
  sqlite.close()
  await edge.close()
  rmSync(folder, { recursive: true })
})

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string | undefined>
  /** Several are sent one after the other, without a declared length. */
  readonly body?: string | Uint8Array | (() => Iterable<Uint8Array>)
  readonly agent?: Agent
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request over a socket of its own. What the server refuses while it still comes in is an answer too. */
function send({ method = 'POST', headers = {}, body = '', agent }: Sent = {}): Promise<Answer> {
  const all = {
    authorization: `Bearer ${edge.token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }
  const present = Object.fromEntries(Object.entries(all).filter((entry) => entry[1] !== undefined))
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${edge.url}/mcp`,
      { method, headers: present, agent: agent ?? false },
      async (incoming) => {
        const chunks: Uint8Array[] = []
        incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
        incoming.once('close', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    outgoing.once('error', reject)
    if (typeof body !== 'function') {
      outgoing.end(body)
      return
    }
    const parts = body()[Symbol.iterator]()
    const write = () => {
      if (outgoing.destroyed) return
      const { value, done } = parts.next()
      if (done === true) outgoing.end()
      else outgoing.write(value, () => write())
    }
    write()
  })
}

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

const modern = (
  method: string,
  headers: Record<string, string | undefined>,
  params: Record<string, unknown> = {},
): Sent => {
  const message = modernMessage(method, params, { id: 7 })
  return { ...message, headers: { ...message.headers, ...headers } }
}

const codeOf = ({ text }: Answer): unknown => JSON.parse(text).error?.code

/** Everything that the registry and the accounts hold. */
const rows = () =>
  sqlite
    .all(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .map(({ name }) => [name, sqlite.all(`SELECT * FROM ${String(name)}`)])

/** What a case must answer, by its id. */
const cases: Record<string, () => Promise<void>> = {
  H01: async () => expect((await send({ method: 'GET' })).status).toBe(405),
  H02: async () => expect((await send({ method: 'DELETE' })).status).toBe(405),
  H06: async () => {
    const answer = await send({ headers: { host: 'evil.example:8787' }, body: list })
    expect(answer.status).toBe(403)
    expect(answer.text).not.toContain('tools')
  },
  H08: async () => expect((await send({ headers: { 'content-type': 'text/plain' }, body: list })).status).toBe(415),
  H09: async () =>
    expect((await send({ headers: { 'content-type': 'text/plain; x=application/json' }, body: '{}' })).status).toBe(
      415,
    ),
  H12: async () => {
    let sent = 0
    const part = new Uint8Array(65_536).fill(0x78)
    const answer = await send({
      headers: { 'transfer-encoding': 'chunked' },
      body: function* () {
        for (; sent < 20_000_000; sent += part.byteLength) yield part
      },
    })
    expect(answer.status).toBe(413)
  },
  H13: async () => {
    // A gigabyte in a megabyte, made of thousand pieces of a megabyte each: gzip files may follow one another.
    const piece = gzipSync(Buffer.alloc(1_000_000, '0'))
    const bomb = Buffer.concat(Array<Uint8Array>(1000).fill(piece))
    const answer = await send({ headers: { 'content-encoding': 'gzip' }, body: bomb })
    expect(answer.status).toBe(415)
  },
  H15: async () => {
    // In pieces, until the server has had enough: it does not read the rest.
    const socket = connect(Number(new URL(edge.url).port), '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write('POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Big: ')
    for (let sent = 0; sent < 100_000 && answer === '' && !socket.destroyed; sent += 1000) {
      socket.write('a'.repeat(1000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.end()
    await closed
    expect(answer).toMatch(/^HTTP\/1\.1 (431|400) /)
  },
  H16: async () => {
    const answer = await send({ body: '['.repeat(100_000) + ']'.repeat(100_000) })
    expect([answer.status, codeOf(answer)]).toEqual([400, -32600])
  },
  H18: async () => {
    const answer = await send({ body: '{"JSONRPC":"2.0","ID":1,"Method":"tools/list"}' })
    expect([answer.status, codeOf(answer)]).toEqual([400, -32600])
  },
  H19: async () => {
    const answer = await send({ body: `[${list},${list}]` })
    expect([answer.status, codeOf(answer)]).toEqual([400, -32600])
  },
  H20: async () => {
    const answer = await send({ body: Buffer.from('eyJhIjoi/yJ9', 'base64') })
    expect([answer.status, codeOf(answer)]).toEqual([400, -32700])
  },
  H26: async () => {
    const answer = await send(modern('tools/list', { 'mcp-method': undefined }))
    expect([answer.status, codeOf(answer)]).toEqual([400, -32020])
  },
  H27: async () => {
    const name = `=?base64?${Buffer.from('read_file').toString('base64')}?=`
    const params = { name: 'delete_file', arguments: { path: 'a.py' } }
    const answer = await send(modern('tools/call', { 'mcp-name': name }, params))
    expect([answer.status, codeOf(answer)]).toEqual([400, -32020])
  },
  H28: async () => {
    const answer = await send({ headers: { 'mcp-protocol-version': '1999-01-01' }, body: list })
    expect([answer.status, codeOf(answer)]).toEqual([400, -32022])
    expect(JSON.parse(answer.text).error.data.supported).toContain(MODERN)
  },
  H29: async () => {
    const answer = await send(modern('tools/list', { 'mcp-session-id': 'forged' }))
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('mcp-session-id')
    expect(answer.text).not.toContain('forged')
  },
  H35: async () =>
    expect((await send({ headers: { 'x-http-method-override': 'DELETE' }, body: list })).status).toBe(200),
  H37: async () => {
    const others: Promise<Answer>[] = []
    const statuses = await Promise.all(
      Array.from({ length: 2000 }, async (_, index) => {
        // Somebody else asks among them, and is answered.
        if (index % 500 === 250) others.push(send({ headers: { authorization: `Bearer ${member}` }, body: list }))
        return (await send({ body: list })).status
      }),
    )
    expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([])
    for (const answer of await Promise.all(others)) expect(answer.status).toBe(200)
  },
  // Last: from then on this address is asked to wait where it brings no good token.
  H36: async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const statuses = new Set<number>()
    for (let count = 0; count < 1000; count++) {
      const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': `1.2.${count >> 8}.${count & 255}` }
      statuses.add((await send({ headers, body: list, agent })).status)
    }
    agent.destroy()
    expect([...statuses]).toEqual([401, 429])
    // Whoever has a token is answered all the same.
    expect((await send({ headers: { authorization: `Bearer ${member}` }, body: list })).status).toBe(200)
  },
}

/** A gigabyte was named, and twenty megabytes were sent. */
const MEMORY_GROWTH_MAX = 300 * 1024 * 1024

describe('hostile inputs of HTTP', () => {
  it.each(Object.keys(cases))(
    '%s',
    async (id) => {
      const before = rows()
      const memory = process.memoryUsage.rss()
      await cases[id]?.()
      expect(rows()).toEqual(before)
      expect(process.memoryUsage.rss() - memory).toBeLessThan(MEMORY_GROWTH_MAX)
      const health = await fetch(`${edge.url}/healthz`)
      expect(JSON.parse(await health.text())).toMatchObject({ status: 'ok' })
    },
    60_000,
  )

  it('are all sent', () => {
    expect(idsOf('http').filter((id) => !(id in cases))).toEqual([])
  })
})

describe('hostile inputs of sign-in', () => {
  it('each have a test that names them', () => {
    const tests = [
      'functions/auth/key-proof.test.ts',
      'functions/auth/rsa-key.test.ts',
      'functions/auth/bearer-token.test.ts',
      'functions/auth/routes.test.ts',
      'functions/oauth/oauth.test.ts',
      'functions/adapters/node/public-fetch.test.ts',
    ]
    const text = tests.map((name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')).join('\n')
    expect(idsOf('auth').filter((id) => !new RegExp(`\\(${id}\\b`).test(text))).toEqual([])
  })
})
