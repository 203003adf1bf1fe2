import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import { AgentId, createJobId, type JobId, toWorkspaceId } from '#shared/ids.ts'
import { CallEnvelope, decodeMessage } from '#shared/protocol/envelope.ts'
import { callSubject, JOBS_STREAM, jobsConsumer, WORKER_INBOX } from '#shared/protocol/subjects.ts'
import { testSigner } from '#test/support/edge-key.ts'
import { createNatsJobBus } from '../adapters/nats/nats-job-bus.ts'
import { createNatsLink, type NatsLink } from '../adapters/nats/nats-link.ts'
import { createNatsWorkerCalls } from '../adapters/nats/nats-worker-calls.ts'
import { connectNats as connectEdge } from '../adapters/node/nats-connect.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import { createBearerTokenAuthenticator } from '../auth/bearer-token.ts'
import type { AppPorts } from '../ports/edge-ports.ts'
import type { RegistryStore } from '../ports/registry.ts'
import { createSqlRegistry } from '../registry/sql-registry.ts'
import { STALE_MS, sweepJobs } from './sweep.ts'

// A real registry and a real bus; only the time is ours.

const workspace = toWorkspaceId('swept')
const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs }
const log = { info: () => undefined, error: () => undefined }
let folder: string
let nats: NatsServer
let sqlite: SqliteFile
let link: NatsLink
let admin: NatsConnection
let ports: AppPorts & { readonly registry: RegistryStore }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-sweep-'))
  nats = await startNatsServer({ binary: await findNatsServer(), dataFolder: join(folder, 'nats') })
  await ensureStreams(nats.url('admin'), [workspace])
  admin = await connectNats(nats.url('admin'), { name: 'admin', inboxPrefix: '_INBOX_admin' })
  sqlite = openSqlite(join(folder, 'registry.sqlite'))
  const url = new URL(nats.url('edge'))
  link = createNatsLink(
    () => connectEdge({ server: `nats://${url.host}`, user: url.username, password: decodeURIComponent(url.password) }),
    log,
  )
  ports = {
    workspace,
    version: '0',
    hostnames: [],
    authenticator: createBearerTokenAuthenticator('mw_x'),
    registry: createSqlRegistry(sqlite, clock, log),
    workers: createNatsWorkerCalls(link, testSigner),
    bus: createNatsJobBus(link, testSigner),
    clock,
    log,
    process: { memoryBytes: () => 0 },
    assets: { find: async () => undefined },
  }
  await new Promise<void>((resolve) => link.onConnection(() => resolve()))
  await ports.registry.createAgent(workspace, {
    agent_id: v.parse(AgentId, 'a1'),
    name: 'n',
    managed_file: 'a.py',
    file_key: 'a.py',
    system_prompt: '',
    model: null,
    description: null,
  })
})

afterAll(async () => {
  await link.close()
  await admin.close()
  sqlite.close()
  await nats.stop()
  rmSync(folder, { recursive: true })
})

/** A row without a message: what a crash between the two leaves. */
async function loseJob(): Promise<JobId> {
  const { record } = await ports.registry.createJob(workspace, {
    job_id: createJobId(clock.nowMs),
    tool: 'chat_with_agent',
    agent_id: v.parse(AgentId, 'a1'),
    caller: { subject: 'owner' },
    args: { message: 'x' },
    params_hash: 'h',
    idempotency_key: null,
    call_key: null,
    accepts: null,
    deadline: clock.nowMs + 10 * STALE_MS,
  })
  return record.job.job_id
}

const waiting = async () =>
  (await (await jetstreamManager(admin)).consumers.info(JOBS_STREAM, jobsConsumer(workspace))).num_pending

describe('sweep', () => {
  it('publishes a lost job again, once a worker is there and it has waited', async () => {
    const job = await loseJob()
    expect(await sweepJobs(ports)).toEqual({ published: 0, expired: 0 })
    clock.nowMs += STALE_MS + 1
    // Without a worker nothing is lost by waiting, and no second message is made.
    expect(await sweepJobs(ports)).toEqual({ published: 0, expired: 0 })

    const worker = await connectNats(nats.url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
    worker.subscribe(callSubject(workspace, 'system'), {
      callback: (_error, message) => {
        const { id } = decodeMessage('a call', CallEnvelope, message.data)
        message.respond(JSON.stringify({ v: 1, id, ok: true, result: {} }))
      },
    })
    await worker.flush()
    expect(await sweepJobs(ports)).toEqual({ published: 1, expired: 0 })
    expect(await waiting()).toBe(1)
    expect(await sweepJobs(ports)).toEqual({ published: 0, expired: 0 })
    await worker.close()
    expect(await ports.registry.withdrawJob(workspace, job)).toBe(true)
  })

  it('fails what its worker never finished', async () => {
    const job = await loseJob()
    await ports.registry.claimJob(workspace, job, 'w1')
    clock.nowMs += 20 * STALE_MS
    expect(await sweepJobs(ports)).toEqual({ published: 0, expired: 1 })
    expect((await ports.registry.getJob(workspace, job)).job).toMatchObject({
      state: 'failed',
      error: { code: 'timeout' },
    })
  })
})
