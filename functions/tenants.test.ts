import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import { type Role, type Scope, scopeOfTool, scopes } from '#shared/access.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { CallEnvelope, decodeMessage } from '#shared/protocol/envelope.ts'
import { callFamilies, callSubject, WORKER_INBOX } from '#shared/protocol/subjects.ts'
import { catalogue, findTool } from '#shared/tools/catalogue.ts'
import { toInputJsonSchema } from '#shared/tools/define-tool.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { administrationOf } from '#test/support/keyed-edge.ts'
import { callMessage, modernMessage, postMessage } from '#test/support/mcp-message.ts'
import { registryRows } from '#test/support/registry-rows.ts'
import { createPerson } from '#test/support/sign-in-world.ts'
import type { Administration } from './auth/administration.ts'
import { createId, toBase64Url } from './crypto.ts'
import type { EdgeServer } from './entry.node.ts'

// Every tool of the catalogue as the owner, as a member of another workspace, as a reader, and as nobody: over HTTP, in both
// runtimes, with a real NATS server. The workers of both workspaces are played by this file and say whose they are.

const home = toWorkspaceId(`home-${process.pid}`)
const there = toWorkspaceId(`there-${process.pid}`)
/** In everything that belongs to `home`, and in nothing else. */
const SECRET = 'only-at-home'

let folder: string
let nats: NatsServer
let edge: EdgeServer
let administration: Administration
let closeAdministration: () => void
let homeJob: string
const tokens: Record<string, string> = {}
const workers: NatsConnection[] = []
/** Which workspace's worker was asked what. */
const asked: { workspace: WorkspaceId; tool: string; subject: string }[] = []

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

async function startWorker(workspace: WorkspaceId): Promise<void> {
  const connection = await connectNats(nats.url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
  workers.push(connection)
  const mark = workspace === home ? SECRET : 'elsewhere'
  for (const family of callFamilies) {
    connection.subscribe(callSubject(workspace, family), {
      callback: (_error, message) => {
        const { id, tool, caller, args, workspace: claimed } = decodeMessage('a call', CallEnvelope, message.data)
        asked.push({ workspace: claimed, tool, subject: caller.subject })
        const answers: Record<string, unknown> = {
          worker_info: workerInfo,
          prepare_agent: { path: args.managed_file, file_key: String(args.managed_file) },
          file_state: { exists: true, line_count: 3, sha256: 'b'.repeat(64) },
          read_file: { path: 'a.py', content: mark, sha256: 'a'.repeat(64), line_count: 1, next_offset: null },
        }
        const result = answers[tool]
        const refusal = { code: 'unavailable', message: `The worker of ${mark} plays no ${tool}` }
        const reply = result === undefined ? { ok: false, error: refusal } : { ok: true, result }
        message.respond(JSON.stringify({ v: 1, id, ...reply }))
      },
    })
  }
  await connection.flush()
}

/** `tokenName` where one person has several tokens. */
async function addMember(
  name: string,
  workspace: WorkspaceId,
  role: Role,
  granted: readonly Scope[],
  tokenName = name,
): Promise<void> {
  const { spki } = createPerson()
  await administration.addKey({ spki: toBase64Url(spki), user: name, workspace, role: 'admin' })
  const made = await administration.makeToken({ user: name, name: tokenName, scopes: [...granted], days: 1, workspace })
  tokens[tokenName] = made.token
  // Only now, so that a token may say more than its person's role allows.
  await administration.grant({ user: name, workspace, role })
}

async function addAgent(agent_id: string, managed_file: string): Promise<void> {
  const args = { agent_id, name: SECRET, managed_file, system_prompt: SECRET }
  const { text } = await callWith(tokens.owner, 'create_agent', args)
  expect(text).toContain('"success":true')
}

/** Arguments that a tool takes, by what its schema asks for: a tool that is new is called as well. */
function argumentsFor(name: string): Record<string, unknown> {
  const tool = findTool(name)
  if (tool === undefined) throw new Error(`The catalogue has no ${name}`)
  const { properties, required } = toInputJsonSchema(tool) as {
    properties: Record<string, { type?: string; enum?: unknown[] }>
    required?: string[]
  }
  const known: Record<string, unknown> = {
    agent_id: 'a1',
    job_id: homeJob,
    managed_file: 'new.py',
    path: 'a.py',
    file_path: 'a.py',
    edits: [{ search: 'a', replace: 'b' }],
    wait_seconds: 0,
  }
  const byType: Record<string, unknown> = { string: 'x', number: 1, integer: 1, boolean: true, array: [], object: {} }
  const entries = Object.entries(properties)
    .filter(
      ([field]) => required?.includes(field) === true || ['wait_seconds', 'path', 'agent_id', 'name'].includes(field),
    )
    .map(([field, { type = 'string', enum: words }]) => [field, known[field] ?? words?.[0] ?? byType[type]])
  return {
    ...Object.fromEntries(entries),
    ...(name === 'create_agent' ? { agent_id: `new-${createId('a').slice(2)}` } : {}),
  }
}

const call = (token: string | undefined, name: string) => callWith(token, name, argumentsFor(name))

async function callWith(
  token: string | undefined,
  name: string,
  args: Record<string, unknown>,
): Promise<{ response: Response; text: string }> {
  const { body } = callMessage(name, args)
  // workerd hangs up on who is refused before their body was read; the next request needs a connection of its own.
  const response = await postMessage(`${edge.url}/mcp`, token, { headers: { connection: 'close' }, body })
  return { response, text: await response.text() }
}

const homeRows = () => registryRows(join(folder, 'edge'), home)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-tenants-'))
  nats = await startNatsServer({ binary: await findNatsServer(), dataFolder: join(folder, 'nats'), webSocketPort: 0 })
  await ensureStreams(nats.url('admin'), [home, there])
  edge = await startEdgeServer({
    workspace: home,
    folder: join(folder, 'edge'),
    natsUrl: nats.url('edge'),
    natsWebSocketUrl: nats.webSocketUrl('edge'),
  })
  await vi.waitFor(
    async () => expect(JSON.parse(await (await fetch(`${edge.url}/healthz`)).text())).toMatchObject({ nats: true }),
    { timeout: 10_000, interval: 10 },
  )
  ;({ administration, close: closeAdministration } = administrationOf(edge, join(folder, 'edge'), home))
  await startWorker(home)
  await startWorker(there)
  tokens.owner = edge.token
  await addMember('member', home, 'writer', ['read', 'write'])
  await addMember('tenant', there, 'admin', scopes)
  await addMember('reader', home, 'reader', scopes)
  await addMember('careful', home, 'admin', ['read'])
  await addMember('both', home, 'admin', scopes, 'both, at home')
  await addMember('both', there, 'admin', scopes, 'both, there')

  await addAgent('a1', 'a.py')
  const { text } = await call(tokens.owner, 'chat_with_agent')
  homeJob = /job_[0-9a-z]{26}/.exec(text)?.[0] ?? ''
  expect(homeJob).not.toBe('')
})

afterAll(async () => {
  closeAdministration()
  await edge.close()
  for (const worker of workers) await worker.close()
  await nats.stop()
  rmSync(folder, { recursive: true })
})

const names = catalogue.map(({ name }) => name)
const needs = (name: string): Scope => scopeOfTool(findTool(name)?.annotations ?? { readOnlyHint: false })

describe('every tool', () => {
  it.each(names)('%s answers nobody', async (name) => {
    const before = homeRows()
    const count = asked.length
    for (const token of [undefined, 'mw_wrong', `mwp_${'A'.repeat(43)}`]) {
      const { response, text } = await call(token, name)
      // The later ones are slowed down as well.
      expect([401, 429]).toContain(response.status)
      expect(text).not.toContain(SECRET)
    }
    expect(asked.length).toBe(count)
    expect(homeRows()).toEqual(before)
  })

  it.each(names)("%s shows and changes a tenant's own workspace only", async (name) => {
    const before = homeRows()
    const count = asked.length
    const { response, text } = await call(tokens.tenant, name)
    expect(response.status).toBe(200)
    expect(text).not.toContain(SECRET)
    expect(asked.slice(count).map(({ workspace }) => workspace)).not.toContain(home)
    expect(homeRows()).toEqual(before)
  })

  it.each(names)('%s answers a reader as far as it only reads', async (name) => {
    const before = homeRows()
    const count = asked.length
    for (const token of [tokens.reader, tokens.careful]) {
      const { response, text } = await call(token, name)
      if (needs(name) === 'read') {
        expect(response.status).toBe(200)
        expect(text).not.toContain('unauthenticated')
      } else {
        expect(response.status).toBe(403)
        expect(response.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="read write"/)
        expect(JSON.parse(text)).toMatchObject({ id: 1, error: { data: { code: 'forbidden' } } })
      }
    }
    if (needs(name) === 'write') {
      expect(asked.length).toBe(count)
      expect(homeRows()).toEqual(before)
    }
  })

  // Last, since these change things: what they are refused for here is only what the played worker does not play.
  it.each(names)('%s answers the owner and a member, in their workspace', async (name) => {
    const count = asked.length
    for (const token of [tokens.owner, tokens.member]) {
      const { response, text } = await call(token, name)
      expect(response.status).toBe(200)
      expect(text).not.toMatch(/unauthenticated|forbidden/)
    }
    expect(new Set(asked.slice(count).map(({ workspace }) => workspace)).has(there)).toBe(false)
  })

  it("reaches the worker of the caller's workspace under the caller's own id", async () => {
    const count = asked.length
    await call(tokens.member, 'read_file')
    const { text } = await call(tokens.tenant, 'read_file')
    expect(text).toContain('elsewhere')
    const [first, second] = asked.slice(count)
    expect(first?.workspace).toBe(home)
    expect(second?.workspace).toBe(there)
    expect(new Set([first?.subject, second?.subject]).size).toBe(2)
    expect([first?.subject, second?.subject]).not.toContain('owner')
  })
})

describe('the audit log', () => {
  it('says who called what on what, with which token, and how it ended; nothing of what was read or said', async () => {
    const message = 'a-secret-message'
    const write = callMessage('write_file', { path: 'src/x.py\u202e', content: message })
    await postMessage(`${edge.url}/mcp`, tokens.member, write)
    await call(tokens.member, 'read_file')
    const response = await fetch(`${edge.url}/auth/audit`, { headers: { authorization: `Bearer ${tokens.owner}` } })
    const text = await response.text()
    const [newest] = JSON.parse(text).entries
    expect(newest).toMatchObject({
      action: 'tool.write_file',
      target: 'src/x.py\ufffd',
      workspace: home,
      outcome: 'unavailable',
      credential: expect.stringMatching(/^t_/),
      actor: expect.stringMatching(/^u_/),
    })
    expect(text).not.toContain(message)
    const tenants = await fetch(`${edge.url}/auth/audit`, { headers: { authorization: `Bearer ${tokens.tenant}` } })
    expect(await tenants.text()).not.toContain(home)
  })
})

describe('tasks', () => {
  const TASKS = 'io.modelcontextprotocol/tasks'

  /** One message of the newer era, from a client that knows tasks. */
  async function send(token: string | undefined, method: string, params: Record<string, unknown>) {
    const capabilities = { extensions: { [TASKS]: {} } }
    const message = modernMessage(method, params, { capabilities, name: String(params.name ?? params.taskId) })
    const response = await postMessage(`${edge.url}/mcp`, token, message)
    return { response, text: await response.text() }
  }

  const chat = (token: string | undefined, agent_id: string) =>
    send(token, 'tools/call', { name: 'chat_with_agent', arguments: { agent_id, message: SECRET } })

  async function startTask(agent: string): Promise<string> {
    await addAgent(agent, `${agent}.py`)
    const { text } = await chat(tokens.member, agent)
    const [taskId] = /job_[0-9a-z]{26}/.exec(text) ?? []
    expect(text).toContain('"resultType":"task"')
    return taskId ?? ''
  }

  it('are of one workspace: in another they are not there', async () => {
    const taskId = await startTask('t1')
    const before = homeRows()
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { text } = await send(tokens.tenant, method, { taskId })
      expect(text).toContain('there is no task')
      expect(text).not.toContain(SECRET)
    }
    expect(homeRows()).toEqual(before)
  })

  it('are made, answered and ended by nobody who may only read', async () => {
    const taskId = await startTask('t2')
    const before = homeRows()
    for (const token of [tokens.reader, tokens.careful]) {
      const { response, text } = await send(token, 'tasks/get', { taskId })
      expect([response.status, text]).toEqual([200, expect.stringContaining('"working"')])
      for (const refused of [
        await send(token, 'tasks/update', { taskId, inputResponses: {} }),
        await send(token, 'tasks/cancel', { taskId }),
        await chat(token, 't2'),
      ]) {
        expect(refused.response.status).toBe(403)
        expect(refused.response.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
      }
    }
    expect(homeRows()).toEqual(before)
  })

  it('are in the audit log when they are ended, or meant to be', async () => {
    const taskId = await startTask('t3')
    expect((await send(tokens.member, 'tasks/cancel', { taskId })).response.status).toBe(200)
    await send(tokens.member, 'tasks/cancel', { taskId: 'no-such-task' })
    const response = await fetch(`${edge.url}/auth/audit`, { headers: { authorization: `Bearer ${tokens.owner}` } })
    const { entries } = (await response.json()) as { entries: unknown[] }
    const entry = { action: 'tool.cancel_job', workspace: home, credential: expect.stringMatching(/^t_/) }
    expect(entries.slice(0, 2)).toMatchObject([
      { ...entry, target: 'no-such-task', outcome: 'not_found' },
      { ...entry, target: taskId, outcome: 'ok' },
    ])
  })
})

// In workerd a session of the older era is kept by nobody.
describe('sessions of the older era', () => {
  it('belong to one person in one workspace', async () => {
    const headers = (token: string | undefined, session: string | null) => ({
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...(session === null ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
    })
    const hello = await fetch(`${edge.url}/mcp`, {
      method: 'POST',
      headers: headers(tokens['both, at home'], null),
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'tenants-test', version: '1.0.0' },
        },
      }),
    })
    await hello.text()
    const session = hello.headers.get('mcp-session-id')
    const end = async (token: string | undefined) =>
      (await fetch(`${edge.url}/mcp`, { method: 'DELETE', headers: headers(token, session) })).status
    // To others there is no session that could be ended.
    expect(await end(tokens['both, there'])).toBe(405)
    expect(await end(tokens.member)).toBe(405)
    expect(await end(tokens['both, at home'])).toBe(200)
    expect(await end(tokens['both, at home'])).toBe(404)
    expect(await end(tokens['both, there'])).toBe(405)
    expect(await end(tokens.member)).toBe(405)
  })
})

describe('resources and prompts', () => {
  it('of another workspace are not there', async () => {
    for (const [method, params] of [
      ['resources/list', {}],
      ['resources/read', { uri: 'millwright://agents/a1' }],
      ['resources/read', { uri: 'millwright://files/a.py' }],
      ['resources/read', { uri: `millwright://reports/jobs/${homeJob}` }],
      [
        'completion/complete',
        {
          ref: { type: 'ref/resource', uri: 'millwright://agents/{agent_id}' },
          argument: { name: 'agent_id', value: '' },
        },
      ],
    ] as const) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const response = await postMessage(`${edge.url}/mcp`, tokens.tenant, { body })
      const text = await response.text()
      expect(text).not.toContain(SECRET)
      expect(text).not.toContain('"a1"')
    }
  })
})
