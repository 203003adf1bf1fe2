import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { EdgeServer } from '#functions/entry.node.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { edgeRuntime } from '#test/support/edge-runtime.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { connectClient } from '#test/support/mcp.ts'
import { type Subscriber, subscribe } from '#test/support/subscriber.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// What clients are told without asking, on the whole stack: of what this edge does, what the worker does, and what another
// edge does.

const kinds = ['v2 of 2026-07-28', 'v2'] as const
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 })

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'free.txt': 'free\n', 'a b%.txt': 'odd\n' } })
  const { client } = world
  const { url, token } = world.stack()
  const first = await subscribe('v2 of 2026-07-28', url, token, [])
  await client.ok('create_agent', { agent_id: 'told', name: 'Told', managed_file: 'told.py', system_prompt: '' })
  // An answer may overtake the news of what it did.
  await vi.waitFor(() => expect(first.heard).toContain('list'), 20_000)
  await first.close()
})
afterAll(() => world?.stop())

describe.each(kinds)('a subscriber of the kind %s', (kind) => {
  let subscriber: Subscriber
  const listen = async (...uris: string[]) => {
    const { url, token } = world.stack()
    subscriber = await subscribe(kind, url, token, uris)
    return subscriber.heard
  }

  it('is told of agents that come, change and go, and that the list is another', async () => {
    const { client } = world
    const heard = await listen('millwright://agents/passing', 'millwright://agents/other')
    const agent_id = 'passing'
    await client.ok('create_agent', { agent_id, name: 'P', managed_file: 'passing.py', system_prompt: '' })
    await soon(() => heard.toSorted()).toEqual(['list', 'millwright://agents/passing'])
    heard.length = 0
    await client.ok('update_agent', { agent_id, name: 'Q' })
    await soon(() => heard.toSorted()).toEqual(['list', 'millwright://agents/passing'])
    heard.length = 0
    await client.ok('delete_agent', { agent_id })
    await soon(() => heard.toSorted()).toEqual(['list', 'millwright://agents/passing'])
    await subscriber.close()
  })

  it('is told of files by any spelling of their address, and of nothing else', async () => {
    const { client } = world
    const uris = ['millwright://files/a%20b%25.txt', 'millwright://files/a b%25.txt', 'millwright://agents/told/file']
    const heard = await listen(...uris)
    await client.ok('write_file', { path: 'free.txt', content: `${kind}\n` })
    await client.ok('agent_update_file', { agent_id: 'told', content: `KIND = "${kind}"\n` })
    await client.ok('write_file', { path: 'a b%.txt', content: `${kind}\n` })
    await soon(() => heard.toSorted()).toEqual(uris.toSorted())
    await subscriber.close()
  })

  it('is told how a job goes on, and of its agent and the server with it', async () => {
    const { client } = world
    const heard = await listen('millwright://agents/told', 'millwright://reports/server')
    await client.call('chat_with_agent', { agent_id: 'told', message: 'Say hello', mode: 'ask' })
    await soon(() => [...new Set(heard)].toSorted()).toEqual([
      'millwright://agents/told',
      'millwright://reports/server',
    ])
    await subscriber.close()
  })

  it('refuses more addresses than it could keep', async () => {
    const uris = Array.from({ length: 1001 }, (_, index) => `millwright://files/${index}.txt`)
    await expect(listen(...uris)).rejects.toThrow()
  })
})

describe.runIf(edgeRuntime() === 'node')('a second edge of the same workspace (in workerd the objects are one)', () => {
  let second: EdgeServer
  beforeAll(async () => {
    const stack = world.stack()
    second = await startEdgeServer({
      workspace: toWorkspaceId(stack.workspace),
      // Edges of one workspace share its registry, and the key with which they sign.
      folder: join(stack.dataFolder, 'edge'),
      natsUrl: stack.natsUrl('edge'),
      natsWebSocketUrl: stack.natsUrl('edge'),
    })
    // Who subscribes before it is connected is told once that something may have been missed.
    const url = `${second.url}/healthz`
    await vi.waitFor(async () => expect(await (await fetch(url)).json()).toMatchObject({ nats: true }), 20_000)
  })
  afterAll(() => second?.close())

  it('tells of what was done by way of the first, and the first of what it did', async () => {
    const { url, token } = world.stack()
    const uri = 'millwright://files/free.txt'
    const onSecond = await subscribe('v2 of 2026-07-28', `${second.url}/mcp`, second.token, [uri])
    const onFirst = await subscribe('v2', url, token, [uri])
    await world.client.ok('write_file', { path: 'free.txt', content: 'by the first\n' })
    await soon(() => onSecond.heard).toEqual([uri])
    await soon(() => onFirst.heard).toEqual([uri])
    const other = await connectClient(`${second.url}/mcp`, second.token)
    await other.ok('write_file', { path: 'free.txt', content: 'by the second\n' })
    await soon(() => onFirst.heard).toEqual([uri, uri])
    for (const each of [onFirst, onSecond, other]) await each.close()
  })
})
