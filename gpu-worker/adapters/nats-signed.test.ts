import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSigningKey, importSigningKey, lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import type { Signer } from '#functions/ports/signer.ts'
import { ADMIN_INBOX } from '#scripts/nats-config.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { createJobId, type JobId, toWorkspaceId } from '#shared/ids.ts'
import { CallReply } from '#shared/protocol/envelope.ts'
import { SIGNATURE_HEADER, type SignedPurpose } from '#shared/protocol/signature.ts'
import { callSubject, cancelSubject, EDGE_INBOX, jobsSubject } from '#shared/protocol/subjects.ts'
import { testSigner, testTrust } from '#test/support/edge-key.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'
import { createDaemon } from '../daemon.ts'
import { createEdgeTrust } from './ed25519.ts'
import { createNatsCallServer } from './nats-call-server.ts'
import { createNatsEvents } from './nats-events.ts'
import { createNatsJobSource } from './nats-job-source.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

// Somebody in the middle who has the edge's password on the bus, and sees all that passes, but does not have its key.

const workspace = toWorkspaceId('signed')
let world: NatsWorld
let folder: string
let bus: NatsConnection
const stops: (() => unknown)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-signed-'))
  world = await startNatsWorld([workspace])
  bus = await connectNats(world.server().url('edge'), { name: 'middle', inboxPrefix: EDGE_INBOX })
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
afterAll(async () => {
  await bus?.close()
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a short call', () => {
  let ran: string[]

  /** A worker with one tool, which notes that it ran. */
  async function startWorker(trust = testTrust): Promise<void> {
    ran = []
    const calls = createNatsCallServer(world.worker, workspace, '0.0.0', trust)
    const journal = openSqliteJournal(join(folder, 'journal.sqlite'))
    const unused = () => Promise.reject(new Error('not asked for'))
    const daemon = createDaemon({
      workspace,
      workerId: 'w1',
      calls,
      jobs: { next: async () => null },
      registry: {
        claimJob: unused,
        finishJob: unused,
        findOver: unused,
        findOwners: unused,
        listOwners: () => ({ [Symbol.asyncIterator]: () => ({ next: unused }) }),
      },
      events: { job: () => undefined, workspace: () => undefined, onGap: () => undefined, onCancel: () => undefined },
      journal,
      servedCalls: new Map([
        [
          'write_file',
          {
            family: 'files',
            input: v.object({ path: v.string() }),
            handle: async (input) => {
              ran.push((input as { path: string }).path)
              return { done: true }
            },
          },
        ],
      ]),
      servedJobs: new Map(),
      jobsAtOnce: 1,
      log: () => undefined,
    })
    await daemon.start()
    stops.push(async () => {
      await daemon.stop()
      journal.close()
    })
  }

  const subject = callSubject(workspace, 'files')
  const envelope = (path: string, more: Record<string, unknown> = {}) =>
    JSON.stringify({
      v: 1,
      id: `call-${path}`,
      workspace,
      caller: { subject: 'owner' },
      tool: 'write_file',
      args: { path },
      agent: null,
      deadline: Date.now() + 20_000,
      ...more,
    })
  const bytes = (text: string) => new TextEncoder().encode(text)
  const sign = (text: string, signer: Signer = testSigner, purpose: SignedPurpose = 'call', to = subject) =>
    signedHeaders(signer, { purpose, subject: to, body: bytes(text) })

  async function send(text: string, given: MsgHdrs | undefined, to = subject): Promise<CallReply> {
    const reply = await bus.request(to, text, { timeout: 5000, ...(given === undefined ? {} : { headers: given }) })
    return v.parse(CallReply, reply.json())
  }

  it('of the edge runs', async () => {
    await startWorker()
    const text = envelope('true')
    expect(await send(text, await sign(text))).toMatchObject({ ok: true, result: { done: true } })
    expect(ran).toEqual(['true'])
  })

  it.each<[string, () => Promise<[string, MsgHdrs | undefined, string?]>]>([
    ['without a signature', async () => [envelope('a'), undefined]],
    ['whose words were changed', async () => [envelope('b'), await sign(envelope('c'))]],
    ['of another key', async () => [envelope('d'), await sign(envelope('d'), lazySigner(createSigningKey()))]],
    ['that was signed as a job', async () => [envelope('e'), await sign(envelope('e'), testSigner, 'job')]],
    [
      'that was signed for another workspace',
      async () => {
        const there = callSubject(toWorkspaceId('other'), 'files')
        return [envelope('f'), await sign(envelope('f'), testSigner, 'call', there)]
      },
    ],
    [
      'that was signed for another family',
      async () => [envelope('g'), await sign(envelope('g')), callSubject(workspace, 'git')],
    ],
    [
      'whose time was changed',
      async () => {
        const text = envelope('h')
        const [version, key, time, signature] = (await sign(text)).get(SIGNATURE_HEADER).split(' ')
        const later = headers()
        later.set(SIGNATURE_HEADER, [version, key, Number(time) + 1, signature].join(' '))
        return [text, later]
      },
    ],
    [
      'whose signature is no signature',
      async () => {
        const odd = headers()
        odd.set(SIGNATURE_HEADER, `1 ${'A'.repeat(43)} 1 x`)
        return [envelope('i'), odd]
      },
    ],
  ])('%s is refused, and nothing runs', async (_what, forge) => {
    await startWorker()
    const [text, given, to] = await forge()
    expect(await send(text, given, to)).toMatchObject({ ok: false, error: { code: 'forbidden' } })
    expect(ran).toEqual([])
  })

  it('that is repeated runs once', async () => {
    await startWorker()
    const text = envelope('once')
    const signed = await sign(text)
    expect(await send(text, signed)).toMatchObject({ ok: true })
    expect(await send(text, signed)).toMatchObject({ ok: false, error: { code: 'conflict' } })
    expect(ran).toEqual(['once'])
  })

  it('that comes after its deadline, or was made for the worker before this one, does not run', async () => {
    const text = envelope('before')
    const signed = await sign(text)
    await setTimeout(5)
    await startWorker()
    expect(await send(text, signed)).toMatchObject({ ok: false, error: { code: 'timeout' } })
    const late = envelope('late', { deadline: Date.now() - 1 })
    expect(await send(late, await sign(late))).toMatchObject({ ok: false, error: { code: 'timeout' } })
    expect(ran).toEqual([])
  })

  it('of either of two keys runs, while the edge changes its key', async () => {
    const keys = [createSigningKey(), createSigningKey(), createSigningKey()] as const
    const known = await Promise.all(keys.slice(0, 2).map(importSigningKey))
    await startWorker(createEdgeTrust(known.map(({ publicKey }) => publicKey)))
    for (const [index, key] of keys.entries()) {
      const text = envelope(`key-${index}`)
      expect((await send(text, await sign(text, lazySigner(key)))).ok).toBe(index < 2)
    }
    expect(ran).toEqual(['key-0', 'key-1'])
  })
})

describe('a job, and a request to stop one', () => {
  const message = (job: JobId) => JSON.stringify({ v: 1, workspace, job_id: job })
  const signed = (purpose: SignedPurpose, subject: string, text: string, signer: Signer = testSigner) =>
    signedHeaders(signer, { purpose, subject, body: new TextEncoder().encode(text) })

  it('are taken of the edge alone; what is forged is dropped and not delivered again', async () => {
    const dropped: string[] = []
    const source = createNatsJobSource(world.worker, workspace, testTrust, (line) => dropped.push(line))
    const queue = jetstream(bus)
    const subject = jobsSubject(workspace)
    const [forged, stranger, moved, truly] = [1, 2, 3, 4].map((index) => createJobId(index * 1000)) as JobId[]
    await queue.publish(subject, message(forged as JobId))
    const other = lazySigner(createSigningKey())
    await queue.publish(subject, message(stranger as JobId), {
      headers: await signed('job', subject, message(stranger as JobId), other),
    })
    await queue.publish(subject, message(moved as JobId), {
      headers: await signed('job', jobsSubject(toWorkspaceId('other')), message(moved as JobId)),
    })
    await queue.publish(subject, message(truly as JobId), {
      headers: await signed('job', subject, message(truly as JobId)),
    })
    const taken = await source.next(AbortSignal.timeout(10_000))
    expect(taken?.jobId).toBe(truly)
    await taken?.done()
    expect(dropped).toHaveLength(3)
    const admin = await connectNats(world.server().url('admin'), { name: 'admin', inboxPrefix: ADMIN_INBOX })
    const left = (await (await jetstream(admin).jetstreamManager()).streams.info('MW_JOBS')).state.messages
    await admin.close()
    expect(left).toBe(0)
  })

  it('stop nothing where they are forged', async () => {
    const heard: string[] = []
    createNatsEvents(world.worker, workspace, testTrust).onCancel((job) => heard.push(job))
    await world.worker.flush()
    const [forged, moved, truly] = [5, 6, 7].map((index) => createJobId(index * 1000)) as [JobId, JobId, JobId]
    bus.publish(cancelSubject(workspace, forged), message(forged))
    bus.publish(cancelSubject(workspace, moved), message(moved), {
      headers: await signed('cancel', cancelSubject(workspace, truly), message(moved)),
    })
    bus.publish(cancelSubject(workspace, truly), message(truly), {
      headers: await signed('cancel', cancelSubject(workspace, truly), message(truly)),
    })
    await expect.poll(() => heard).toEqual([truly])
  })
})
