import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { EVENTS_PROTOCOL } from '#functions/events/offered-protocols.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The WebSocket at /events, on the whole stack and in both runtimes.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'a.txt': 'a\n' } })
})
afterAll(() => world?.stop())

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 })
const addressOf = (path = '/events') => `${new URL(world.stack().url).origin}${path}`.replace(/^http/, 'ws')
const withToken = (token: string) => [EVENTS_PROTOCOL, `bearer.${encodeURIComponent(token)}`]

/** What came of a request for a stream: `open` with its socket and lines, or the status of the refusal. */
async function request(protocols: string[], options: ClientOptions & { path?: string } = {}) {
  const { path, ...rest } = options
  const socket = new WebSocket(addressOf(path), protocols, rest)
  const lines: Record<string, unknown>[] = []
  socket.on('message', (data) => lines.push(JSON.parse(String(data)) as Record<string, unknown>))
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  const status = await new Promise<number | 'open'>((resolve, reject) => {
    socket.once('open', () => resolve('open'))
    socket.once('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  return { status, socket, lines, closed }
}

describe('the stream of events', () => {
  it('says when it is ready, and then what changes, as JSON lines', async () => {
    const { status, socket, lines, closed } = await request(withToken(world.stack().token))
    expect(status).toBe('open')
    expect(socket.protocol).toBe(EVENTS_PROTOCOL)
    await soon(() => lines[0]).toEqual({ v: 1, type: 'ready' })
    const agent_id = 'seen'
    await world.client.ok('create_agent', { agent_id, name: 'S', managed_file: 'seen.txt', system_prompt: 'SECRET' })
    await world.client.ok('agent_update_file', { agent_id, content: 'CONTENT\n' })
    await world.client.ok('git_commit', { message: 'MESSAGE', agent_id })
    await world.client.call('chat_with_agent', { agent_id, message: 'TASK', mode: 'ask' })
    await world.client.ok('delete_agent', { agent_id })
    await soon(() => lines).toContainEqual({ v: 1, type: 'agent_changed', agent_id, change: 'deleted' })
    expect(lines).toContainEqual({ v: 1, type: 'agent_changed', agent_id, change: 'created' })
    expect(lines).toContainEqual({ v: 1, type: 'file_changed', path: 'seen.txt', change: 'written', agent_id })
    expect(lines).toContainEqual({ v: 1, type: 'committed', commit: expect.stringMatching(/^[0-9a-f]{40}$/) })
    for (const state of ['queued', 'running']) {
      expect(lines).toContainEqual({ v: 1, type: 'job_changed', job_id: expect.any(String), state, agent_id })
    }
    expect(JSON.stringify(lines)).not.toMatch(/SECRET|CONTENT|MESSAGE|TASK/)
    socket.close()
    await closed
  })

  it('has something on it at least every fifteen seconds', async () => {
    const { socket, lines } = await request(withToken(world.stack().token))
    await expect.poll(() => lines, { timeout: 15_000, interval: 100 }).toContainEqual({ v: 1, type: 'ping' })
    socket.close()
  })

  it('takes the token of a program as a header too', async () => {
    const headers = { authorization: `Bearer ${world.stack().token}` }
    const { status, socket } = await request([EVENTS_PROTOCOL], { headers })
    expect(status).toBe('open')
    socket.close()
  })

  it('is refused without a good token, to another site, under another name, and without its protocol', async () => {
    const good = withToken(world.stack().token)
    const statuses = [
      (await request([EVENTS_PROTOCOL])).status,
      (await request(withToken('wrong'))).status,
      (await request([EVENTS_PROTOCOL], { path: `/events?token=${world.stack().token}` })).status,
      (await request(good, { origin: 'https://evil.example' })).status,
      (await request(good, { headers: { host: 'evil.example' } })).status,
      (await request(good.slice(1))).status,
      (await request(good, { path: '/elsewhere' })).status,
    ]
    expect(statuses).toEqual([401, 401, 401, 403, 403, 400, 404])
  })

  it('is open to one person a bounded number of times, and again when one is closed', async () => {
    const opened: Awaited<ReturnType<typeof request>>[] = []
    let last = await request(withToken(world.stack().token))
    while (last.status === 'open' && opened.length < 40) {
      opened.push(last)
      last = await request(withToken(world.stack().token))
    }
    expect(last.status).toBe(429)
    expect(opened.length).toBeLessThanOrEqual(32)
    const [first] = opened
    first?.socket.close()
    await first?.closed
    await expect
      .poll(async () => {
        const again = await request(withToken(world.stack().token))
        if (again.status === 'open') opened.push(again)
        return again.status
      })
      .toBe('open')
    for (const { socket } of opened) socket.close()
  })
})
