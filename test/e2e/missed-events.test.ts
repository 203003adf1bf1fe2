import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { EdgeServer } from '#functions/entry.node.ts'
import { EVENTS_PROTOCOL } from '#functions/events/offered-protocols.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { eventsSubject, WORKER_INBOX } from '#shared/protocol/subjects.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'
import { subscribe } from '#test/support/subscriber.ts'

// What streams say that could hear nothing for a while, in both runtimes.

const workspace = toWorkspaceId('missed')
const folder = mkdtempSync(join(tmpdir(), 'millwright-missed-'))
let nats: NatsWorld
let edge: EdgeServer
beforeAll(async () => {
  nats = await startNatsWorld([workspace])
  edge = await startEdgeServer({
    workspace,
    folder: join(folder, 'edge'),
    natsUrl: nats.server().url('edge'),
    natsWebSocketUrl: nats.server().webSocketUrl('edge'),
  })
})
afterAll(async () => {
  await edge?.close()
  await nats?.close()
  rmSync(folder, { recursive: true, force: true })
})

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 40_000, interval: 50 })

it('a stream stays open while NATS is away, says that it may have missed something, and tells what changes then', async () => {
  const url = `${edge.url}/mcp`
  const uris = ['millwright://agents/one', 'millwright://files/a.txt']
  const modern = await subscribe('v2 of 2026-07-28', url, edge.token, uris)
  const legacy = await subscribe('v2', url, edge.token, uris)
  const socket = new WebSocket(`${edge.url.replace(/^http/, 'ws')}/events`, [EVENTS_PROTOCOL, `bearer.${edge.token}`])
  const lines: unknown[] = []
  socket.on('message', (data) => lines.push(JSON.parse(String(data))))
  const said = () => lines.filter((line) => Object(line).type !== 'ping')
  const ready = { v: 1, type: 'ready' }
  await soon(said).toEqual([ready])

  await nats.stopNats()
  await nats.startNats()
  await soon(said).toEqual([ready, ready])
  for (const { heard } of [modern, legacy]) await soon(() => heard.toSorted()).toEqual(['list', ...uris])

  const worker = await connectNats(nats.server().url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
  const changed = { v: 1, type: 'file_changed', path: 'a.txt' }
  worker.publish(eventsSubject(workspace), JSON.stringify(changed))
  await soon(said).toEqual([ready, ready, changed])
  for (const { heard } of [modern, legacy]) await soon(() => heard.toSorted()).toEqual(['list', ...uris, uris[1]])
  socket.close()
  for (const each of [modern, legacy, worker]) await each.close()
})
