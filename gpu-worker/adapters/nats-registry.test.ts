import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { EDGE_INBOX, registrySubject } from '#shared/protocol/subjects.ts'
import { connectWorker } from './nats-connection.ts'
import { createNatsRegistry } from './nats-registry.ts'

const workspace = toWorkspaceId('sample')

describe('createNatsRegistry', () => {
  let folder: string
  let server: NatsServer
  let edge: NatsConnection
  let worker: NatsConnection
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-registry-'))
    server = await startNatsServer({ binary: await findNatsServer(), dataFolder: join(folder, 'nats') })
    edge = await connectNats(server.url('edge'), { name: 'edge', inboxPrefix: EDGE_INBOX })
    worker = await connectWorker({ url: server.url('worker') }, 'worker', new AbortController().signal)
  }, 60_000)
  afterAll(async () => {
    await Promise.all([edge?.close(), worker?.close()])
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const answerOwners = (owners: Record<string, string>): void => {
    edge.subscribe(registrySubject(workspace, 'find_owners'), {
      callback: (_error, message) => {
        message.respond(JSON.stringify({ v: 1, owners }))
      },
    })
  }

  it('asks for owners again while the edge is being restarted: the work of a job hangs on it', async () => {
    const asking = createNatsRegistry(worker, workspace).findOwners(['src/a.ts'])
    // What the worker sends is at the server before its own next answer: the question found nobody.
    await worker.rtt()
    answerOwners({ 'src/a.ts': 'a1' })
    expect(await asking).toEqual(new Map([['src/a.ts', 'a1']]))
  })

  it('waits for a server that is away when the question comes', async () => {
    const { port } = server
    server.kill()
    await vi.waitUntil(() => worker.info === undefined)
    const asking = createNatsRegistry(worker, workspace).findOwners(['src/b.ts'])
    server = await startNatsServer({ binary: await findNatsServer(), dataFolder: join(folder, 'nats'), port })
    edge = await connectNats(server.url('edge'), { name: 'edge', inboxPrefix: EDGE_INBOX })
    answerOwners({ 'src/b.ts': 'b1' })
    expect(await asking).toEqual(new Map([['src/b.ts', 'b1']]))
  })

  it('asks for agents page by page until there are no more', async () => {
    const asked: unknown[] = []
    const subscription = edge.subscribe(registrySubject(workspace, 'list_owners'), {
      callback: (_error, message) => {
        const { after } = message.json<{ after: string | null }>()
        asked.push(after)
        const id = after === null ? 'a1' : 'b2'
        const agents = [{ agent_id: id, managed_file: `${id}.py`, file_key: `${id}.PY` }]
        message.respond(JSON.stringify({ v: 1, agents, more: after === null }))
      },
    })
    const seen: unknown[] = []
    for await (const agent of createNatsRegistry(worker, workspace).listOwners()) seen.push(agent)
    subscription.unsubscribe()
    expect(seen).toEqual([
      { agentId: 'a1', path: 'a1.py', key: 'a1.PY' },
      { agentId: 'b2', path: 'b2.py', key: 'b2.PY' },
    ])
    expect(asked).toEqual([null, 'a1'])
  })

  it('tells at once that a claim found nobody: each one counts, and the queue brings the job again', async () => {
    const claiming = createNatsRegistry(worker, workspace).claimJob(createJobId(Date.now()), 'w1')
    await expect(claiming).rejects.toMatchObject({ code: 'unavailable' })
  })
})
