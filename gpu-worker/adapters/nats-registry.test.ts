import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { EDGE_INBOX, registrySubject, WORKER_INBOX } from '#shared/protocol/subjects.ts'
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
    worker = await connectNats(server.url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
  }, 60_000)
  afterAll(async () => {
    await Promise.all([edge?.close(), worker?.close()])
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('asks for owners again while the edge is being restarted: the work of a job hangs on it', async () => {
    const asking = createNatsRegistry(worker, workspace).findOwners(['src/a.ts'])
    // What the worker sends is at the server before its own next answer: the question found nobody.
    await worker.rtt()
    edge.subscribe(registrySubject(workspace, 'find_owners'), {
      callback: (_error, message) => {
        message.respond(JSON.stringify({ v: 1, owners: { 'src/a.ts': 'a1' } }))
      },
    })
    expect(await asking).toEqual(new Map([['src/a.ts', 'a1']]))
  })

  it('tells at once that a claim found nobody: each one counts, and the queue brings the job again', async () => {
    const claiming = createNatsRegistry(worker, workspace).claimJob(createJobId(Date.now()), 'w1')
    await expect(claiming).rejects.toMatchObject({ code: 'unavailable' })
  })
})
