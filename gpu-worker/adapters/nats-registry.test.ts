import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createSigningKey, lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import { sha256Hex } from '#functions/crypto.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { NONCE_HEADER } from '#shared/protocol/signature.ts'
import { EDGE_INBOX, registrySubject } from '#shared/protocol/subjects.ts'
import { testMachine, testSigner } from '#test/support/edge-key.ts'
import type { MachineIdentity } from './machine-identity.ts'
import { connectWorker } from './nats-connection.ts'
import { createNatsRegistry } from './nats-registry.ts'

const workspace = toWorkspaceId('sample')

describe('createNatsRegistry', () => {
  let folder: string
  let server: NatsServer
  let edge: NatsConnection
  let worker: NatsConnection
  let machine: MachineIdentity
  beforeAll(async () => {
    machine = await testMachine(workspace)
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

  /** As an edge answers. `altered` is what arrives in place of what was signed. */
  const answer = async (message: Msg, text: string, altered = text): Promise<void> => {
    const { subject, data, headers } = message
    const question = `${headers?.get(NONCE_HEADER)} ${await sha256Hex(data)}`
    const body = new TextEncoder().encode(text)
    message.respond(altered, {
      headers: await signedHeaders(testSigner, { purpose: 'answer', subject, body, question }),
    })
  }

  const answerOwners = (owners: Record<string, string>): void => {
    edge.subscribe(registrySubject(workspace, 'find_owners'), {
      callback: (_error, message) => {
        void answer(message, JSON.stringify({ v: 1, owners }))
      },
    })
  }

  it('asks for owners again while the edge is being restarted: the work of a job hangs on it', async () => {
    const asking = createNatsRegistry(worker, workspace, machine).findOwners(['src/a.ts'])
    // What the worker sends is at the server before its own next answer: the question found nobody.
    await worker.rtt()
    answerOwners({ 'src/a.ts': 'a1' })
    expect(await asking).toEqual(new Map([['src/a.ts', 'a1']]))
  })

  it('waits for a server that is away when the question comes', async () => {
    const { port } = server
    server.kill()
    await vi.waitUntil(() => worker.info === undefined)
    const asking = createNatsRegistry(worker, workspace, machine).findOwners(['src/b.ts'])
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
        void answer(message, JSON.stringify({ v: 1, agents, more: after === null }))
      },
    })
    const seen: unknown[] = []
    for await (const agent of createNatsRegistry(worker, workspace, machine).listOwners()) seen.push(agent)
    subscription.unsubscribe()
    expect(seen).toEqual([
      { agentId: 'a1', path: 'a1.py', key: 'a1.PY' },
      { agentId: 'b2', path: 'b2.py', key: 'b2.PY' },
    ])
    expect(asked).toEqual([null, 'a1'])
  })

  describe('does not believe', () => {
    const owned = JSON.stringify({ v: 1, owners: { 'src/c.ts': 'c1' } })
    it.each<[string, (message: Msg) => unknown]>([
      ['an answer without a signature', (message) => message.respond(owned)],
      ['one whose words were changed', (message) => answer(message, JSON.stringify({ v: 1, owners: {} }), owned)],
      [
        'one of another key',
        async (message) => {
          const other = lazySigner(createSigningKey())
          const body = new TextEncoder().encode(owned)
          const question = `${message.headers?.get(NONCE_HEADER)} ${await sha256Hex(message.data)}`
          const statement = { purpose: 'answer', subject: message.subject, body, question } as const
          message.respond(body, { headers: await signedHeaders(other, statement) })
        },
      ],
      [
        'a true one to the same question of before',
        async (message) => {
          const body = new TextEncoder().encode(owned)
          const question = `earlier ${await sha256Hex(message.data)}`
          const statement = { purpose: 'answer', subject: message.subject, body, question } as const
          message.respond(body, { headers: await signedHeaders(testSigner, statement) })
        },
      ],
      [
        'what the edge has signed for another purpose',
        async (message) => {
          const body = new TextEncoder().encode(owned)
          const statement = { purpose: 'call', subject: message.subject, body } as const
          message.respond(body, { headers: await signedHeaders(testSigner, statement) })
        },
      ],
    ])('%s', async (_what, reply) => {
      const fresh = await connectNats(server.url('edge'), { name: 'forger', inboxPrefix: EDGE_INBOX })
      fresh.subscribe(registrySubject(toWorkspaceId('forged'), 'find_owners'), {
        callback: (_error, message) => void reply(message),
      })
      await fresh.flush()
      const asking = createNatsRegistry(worker, toWorkspaceId('forged'), machine).findOwners(['src/c.ts'])
      await expect(asking).rejects.toMatchObject({ code: 'forbidden' })
      await fresh.close()
    })
  })

  it('says why the edge has refused a question', async () => {
    const here = toWorkspaceId('refused')
    const refused = { code: 'forbidden', message: 'Cannot take the question: x', hint: 'Enroll' }
    edge.subscribe(registrySubject(here, 'claim_job'), {
      callback: (_error, message) => void answer(message, JSON.stringify({ v: 1, refused })),
    })
    await edge.flush()
    const claiming = createNatsRegistry(worker, here, machine).claimJob(createJobId(Date.now()), 'w1')
    await expect(claiming).rejects.toMatchObject(refused)
  })

  it('tells at once that a claim found nobody: each one counts, and the queue brings the job again', async () => {
    const claiming = createNatsRegistry(worker, workspace, machine).claimJob(createJobId(Date.now()), 'w1')
    await expect(claiming).rejects.toMatchObject({ code: 'unavailable' })
  })
})
