import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modernMeta, postMessage } from '#test/support/mcp-message.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// Calls that the edge answers without the SDK, once it knows their envelope, against the SDK's own answers.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'README.md': '# Sample\n', 'a "b".md': 'naïve \u2028 \\ \u0000\n' } })
  await world.client.ok('create_agent', { agent_id: 'one', name: 'One', managed_file: 'one.md', system_prompt: '' })
})
afterAll(() => world?.stop())

interface Sent {
  readonly era: '2026-07-28' | '2025-11-25' | '2025-03-26'
  readonly name: string
  readonly args?: unknown
  readonly id?: unknown
  readonly meta?: object
  readonly params?: object
  readonly message?: object
  readonly headers?: Record<string, string>
}

/** Status, the headers that matter, and the bytes. */
async function post({ era, name, args, id = 1, meta, params, message, headers }: Sent): Promise<unknown> {
  const { url, token } = world.stack()
  const isModern = era === '2026-07-28'
  const envelope = { ...modernMeta(), 'io.modelcontextprotocol/protocolVersion': era, ...meta }
  const response = await postMessage(url, token, {
    headers: {
      'mcp-protocol-version': era,
      ...(isModern ? { 'mcp-method': 'tools/call', 'mcp-name': name } : {}),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: args, ...(isModern || meta ? { _meta: envelope } : {}), ...params },
      ...message,
    }),
  })
  const text = (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    cache: response.headers.get('cache-control'),
    text,
  }
}

/** An envelope that nobody has sent before, so that the SDK must judge it. */
let envelopes = 0
const unknown = (sent: Sent): Sent => {
  envelopes += 1
  return sent.era === '2026-07-28'
    ? { ...sent, meta: { ...sent.meta, 'io.modelcontextprotocol/clientInfo': { name: `c${envelopes}`, version: '1' } } }
    : { ...sent, headers: { ...sent.headers, accept: `application/json, text/event-stream, x/${envelopes}` } }
}

const calls: readonly Omit<Sent, 'era'>[] = [
  { name: 'read_file', args: { path: 'README.md' } },
  { name: 'read_file', args: { path: 'a "b".md' }, id: 'an "id"' },
  { name: 'read_file', args: { path: 'nowhere' }, id: 0 },
  { name: 'read_file', args: { path: '../out' }, id: -3 },
  { name: 'read_file', args: { path: 7, more: true } },
  { name: 'read_file' },
  { name: 'list_agents', args: {} },
  { name: 'get_agent_file', args: { agent_id: 'one' } },
  { name: 'git_status', args: {} },
  { name: 'get_job', args: { job_id: 'job_01k9zq0000abcdefghjkmnpqrs' } },
]

describe.each(['2026-07-28', '2025-11-25', '2025-03-26'] as const)('in revision %s', (era) => {
  it.each(calls)('answers $name $args as the SDK does, to the byte', async (call) => {
    // The first call of a client teaches the edge its envelope.
    await post({ era, ...call, name: 'read_file', args: { path: 'README.md' } })
    const known = await post({ era, ...call })
    expect(known).toEqual(await post(unknown({ era, ...call })))
    expect(known).toMatchObject({ status: 200, text: expect.stringContaining('"structuredContent"') })
  })

  /** What the SDK refuses stays refused, however well its client is known. */
  const wrong: readonly Omit<Sent, 'era'>[] = [
    { name: 'read_file', args: { path: 'README.md' }, id: 1.5 },
    { name: 'read_file', args: { path: 'README.md' }, id: null },
    { name: 'read_file', args: ['README.md'] },
    { name: 'read_file', args: 'README.md' },
    { name: 'nothing_like_it', args: {} },
    { name: 'read_file', args: { path: 'README.md' }, params: { requestState: 'made up' } },
    { name: 'read_file', args: { path: 'README.md' }, params: { name: 7 } },
    { name: 'read_file', args: { path: 'README.md' }, message: { params: [] } },
    { name: 'read_file', args: { path: 'README.md' }, meta: { traceparent: 'made up' } },
    { name: 'read_file', args: { path: 'README.md' }, headers: { accept: 'text/html' } },
    { name: 'read_file', args: { path: 'README.md' }, headers: { 'mcp-protocol-version': '1999-01-01' } },
    { name: 'read_file', args: { path: 'README.md' }, headers: { 'mcp-name': 'list_agents' } },
    { name: 'read_file', args: { path: 'README.md' }, headers: { 'mcp-method': 'tools/list' } },
  ]
  it.each(wrong)('leaves $args $id $params $message $meta $headers to the SDK', async (call) => {
    await post({ era, name: 'read_file', args: { path: 'README.md' } })
    const first = await post({ era, ...call })
    // Nothing was learnt from it.
    expect(await post({ era, ...call })).toEqual(first)
    expect(await post(call.headers?.accept === undefined ? unknown({ era, ...call }) : { era, ...call })).toEqual(first)
  })
})
