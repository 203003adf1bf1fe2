import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers as createHeaders, type NatsConnection, RequestError } from '@nats-io/nats-core'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { createNatsLink } from '#functions/adapters/nats/nats-link.ts'
import { createNatsRequest } from '#functions/adapters/nats/nats-worker-calls.ts'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import { connectNats as connectEdge } from '#functions/adapters/node/nats-connect.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import type { EdgeServer } from '#functions/entry.node.ts'
import type { MachineIdentity } from '#gpu-worker/adapters/machine-identity.ts'
import { createNatsJobSource } from '#gpu-worker/adapters/nats-job-source.ts'
import { createNatsRegistry } from '#gpu-worker/adapters/nats-registry.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { startNatsServer } from '#scripts/nats-server.ts'
import { createJobId, JobId, toWorkspaceId } from '#shared/ids.ts'
import { decodeMessage, MaybeRefused } from '#shared/protocol/envelope.ts'
import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { CERTIFICATE_HEADER, parseCertificate } from '#shared/protocol/signature.ts'
import { callSubject, EDGE_INBOX, JOBS_STREAM, jobsSubject, WORKER_INBOX } from '#shared/protocol/subjects.ts'
import { sendQuestion, signQuestion, unsigned } from '#test/support/ask-registry.ts'
import { machineOf, testSigner, testTrust } from '#test/support/edge-key.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { until } from '#test/support/live-stack.ts'
import { connectClient, type TestClient } from '#test/support/mcp.ts'
import { refusal } from '#test/support/nats-refusal.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'

// The open collection of hostile inputs, area nats: on a real server, with a real edge behind it. After each case the edge
// answers, and registry and queue are as they were.

const file: unknown = JSON.parse(readFileSync(new URL('../fixtures/bad-inputs-nats.json', import.meta.url), 'utf8'))
const { items } = v.parse(
  v.object({ items: v.array(v.object({ id: v.string(), input: v.record(v.string(), v.unknown()) })) }),
  file,
)
const inputOf = (id: string) => items.find((item) => item.id === id)?.input ?? {}

const workspace = toWorkspaceId('hostile')
const other = toWorkspaceId('elsewhere')
let folder: string
let world: NatsWorld
let edge: EdgeServer
let client: TestClient
let before: unknown
const connections: NatsConnection[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-hostile-nats-'))
  world = await startNatsWorld([workspace, other])
  edge = await startEdgeServer({
    workspace,
    folder: join(folder, 'edge'),
    natsUrl: world.server().url('edge'),
    natsWebSocketUrl: world.server().webSocketUrl('edge'),
  })
  client = await connectClient(`${edge.url}/mcp`, edge.token)
  await until(isAlive)
  before = await state()
})
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()))
  expect(await isAlive()).toBe(true)
  expect(await state()).toEqual(before)
})
afterAll(async () => {
  await client?.close()
  await edge?.close()
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function isAlive(): Promise<boolean> {
  const health = v.parse(
    v.object({ registry: v.boolean(), nats: v.boolean() }),
    await (await fetch(`${edge.url}/healthz`)).json(),
  )
  return health.registry && health.nats
}

/** What the registry and the queue hold. */
async function state(): Promise<unknown> {
  const { state: queue, config } = await (await jetstreamManager(world.admin)).streams.info(JOBS_STREAM)
  const { agents } = await client.ok('list_agents', {})
  const { jobs } = await client.ok('list_jobs', {})
  return { messages: queue.messages, consumers: queue.consumer_count, subjects: config.subjects, agents, jobs }
}

async function connectAs(role: 'edge' | 'worker'): Promise<NatsConnection> {
  const inboxPrefix = role === 'edge' ? EDGE_INBOX : WORKER_INBOX
  const connection = await connectNats(world.server().url(role), { name: role, inboxPrefix })
  connections.push(connection)
  return connection
}

const text = (id: string, field: string): string => v.parse(v.string(), inputOf(id)[field])

/** What the server answers to these bytes until it closes, or has said enough. */
function speakTo(port: number, bytes: string, enough: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connectSocket(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (data) => {
      heard += String(data)
      if (enough.test(heard)) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(heard))
  })
}

const cases: Record<string, () => Promise<void>> = {
  async N01() {
    const url = `nats://127.0.0.1:${world.server().port}`
    await expect(connectNats(url, { name: 'anybody', inboxPrefix: '_INBOX' })).rejects.toThrow(/Authorization/)
  },
  async N02() {
    // What listens to more than this machine: the right password, in the clear.
    const open = await startNatsServer({
      binary: await findNatsServer(),
      dataFolder: join(folder, 'open'),
      host: '0.0.0.0',
    })
    try {
      const { username, password } = new URL(open.url('edge'))
      const bytes = `CONNECT {"user":"${username}","pass":"${password}","verbose":true}\r\nPING\r\n`
      const said = await speakTo(open.port, bytes, /PONG|\+OK/)
      expect(said).toContain('"tls_required":true')
      expect(said).not.toMatch(/PONG|\+OK/)
    } finally {
      await open.stop()
    }
  },
  async N06() {
    for (const role of ['edge', 'worker'] as const) {
      const connection = await connectAs(role)
      const listen = () => connection.subscribe(text('N06', 'subscribe'), { callback: () => undefined })
      expect(await refusal(connection, listen)).toContain('Permissions Violation')
    }
  },
  N07: () => mayNotAsk('edge', text('N07', 'request').replace(/JOBS$/, JOBS_STREAM)),
  N08: () => mayNotAsk('edge', text('N08', 'request').replace(/JOBS$/, JOBS_STREAM)),
  async N09() {
    const worker = await connectAs('worker')
    const publish = () => worker.publish(jobsSubject(workspace), '{}')
    expect(await refusal(worker, publish)).toContain('Permissions Violation')
  },
  N10: () => mayNotAsk('edge', text('N10', 'request'), text('N10', 'body')),
  async N11() {
    const { webSocketPort = 0 } = world.server()
    const upgrade = `GET ${text('N11', 'path')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`
    expect(await speakTo(webSocketPort, upgrade, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 404 /)
  },
  N14: () => namesNoSubject('N14'),
  N15: () => namesNoSubject('N15'),
  N16: () => namesNoSubject('N16'),
  N17: () => namesNoSubject('N17'),
  N19: () => namesNoSubject('N19'),
  async N24() {
    const bus = await connectAs('edge')
    const worker = await connectAs('worker')
    const dropped: string[] = []
    const source = createNatsJobSource(worker, workspace, testTrust, (line) => dropped.push(line))
    const subject = jobsSubject(workspace)
    const publish = async (message: unknown) => {
      const body = new TextEncoder().encode(JSON.stringify(message))
      await jetstream(bus).publish(subject, body, {
        headers: await signedHeaders(testSigner, { purpose: 'job', subject, body }),
      })
    }
    const version = v.parse(v.number(), inputOf('N24').schema_version)
    await publish({ v: version, workspace, job_id: createJobId(1000) })
    const readable = createJobId(2000)
    await publish({ v: 1, workspace, job_id: readable })
    const next = await source.next(AbortSignal.timeout(10_000))
    expect(next?.jobId).toBe(readable)
    await next?.done()
    // The job itself is in the registry, whose sweep publishes it again for a worker that can read it.
    expect(dropped).toEqual([expect.stringContaining('Cannot read a job message: v:')])
  },
  async N27() {
    const edgeFolder = join(folder, 'edge')
    const worker = await connectAs('worker')
    const { job_id } = await client.ok('run_tests', { wait_seconds: 0 })
    const job = v.parse(JobId, job_id)
    const machine = await machineOf(edgeFolder, workspace)
    const mine = createNatsRegistry(worker, workspace, machine)
    const claim = await mine.claimJob(job, 'w1')
    if (claim.claim !== 'run') throw new Error(`The job is not to be run: ${claim.claim}`)
    const error = { code: 'internal', message: 'x' } as const
    const outcome = { state: 'failed', error } as const
    // From one that does not hold the job.
    expect(await mine.finishJob(job, claim.fence + 1, outcome)).toBe(false)
    expect(await mine.finishJob(job, claim.fence - 1, outcome)).toBe(false)

    // With the right fence, by somebody who reaches NATS as this worker does.
    const { fence } = claim
    const sign = (by: MachineIdentity) => signQuestion(by, workspace, 'finish_job', { job_id, fence, outcome })
    const strangers = await machineOf(mkdtempSync(join(folder, 'edge-of-others-')), workspace)
    const elsewhere = await machineOf(edgeFolder, other, { name: 'elsewhere' })
    const models = await machineOf(edgeFolder, workspace, { name: 'models', role: 'model' })
    const changed = sign(machine)
    const body = new TextEncoder().encode(new TextDecoder().decode(changed.body).replace('"x"', '"y"'))
    const forged = sign(elsewhere)
    forged.headers.set(CERTIFICATE_HEADER, sign(machine).headers.get(CERTIFICATE_HEADER))
    const ofAnotherQuestion = sign(machine)
    const { headers } = signQuestion(machine, workspace, 'claim_job', { job_id, worker_id: 'w1' })
    for (const [what, question] of Object.entries({
      'without a signature': unsigned(sign(machine)),
      'without anything': { ...sign(machine), headers: createHeaders() },
      'of a machine of another edge': sign(strangers),
      'of the worker of another workspace': sign(elsewhere),
      'of a machine that serves models': sign(models),
      "with another worker's certificate": forged,
      'with other words than were signed': { ...changed, body },
      'with the signature of another question': { ...ofAnotherQuestion, headers },
    })) {
      const { refused } = decodeMessage('a reply', MaybeRefused, (await sendQuestion(worker, question)).data)
      expect(refused?.code, what).toBe('forbidden')
      expect(await client.ok('get_job', { job_id })).toMatchObject({ state: 'running' })
    }
    await expect(createNatsRegistry(worker, workspace, strangers).finishJob(job, fence, outcome)).rejects.toThrow()

    // Of another worker of this workspace, with a signature of its own.
    const second = await machineOf(edgeFolder, workspace, { name: 'second' })
    expect(await createNatsRegistry(worker, workspace, second).finishJob(job, fence, outcome)).toBe(false)
    expect(await client.ok('get_job', { job_id })).toMatchObject({ state: 'running' })

    const sqlite = openSqlite(join(edgeFolder, 'registry.sqlite'))
    const accounts = createSqlAccounts(sqlite, { now: Date.now })
    const refusals = (await accounts.listAudit(20)).filter(({ action }) => action === 'registry.finish_job')
    expect(refusals.map(({ outcome, workspace }) => `${outcome} in ${workspace}`)).toEqual(
      Array.from({ length: 9 }, () => `forbidden in ${workspace}`),
    )
    const revoked = sign(await machineOf(edgeFolder, workspace, { name: 'revoked' }))
    const { machine: known } = parseCertificate(revoked.headers.get(CERTIFICATE_HEADER)) ?? {}
    await accounts.revokeMachine(known?.publicKey ?? '', 'revoked')
    sqlite.close()
    const { refused } = decodeMessage('a reply', MaybeRefused, (await sendQuestion(worker, revoked)).data)
    expect(refused?.code).toBe('forbidden')

    expect(await mine.finishJob(job, fence, outcome)).toBe(true)
    before = await state()
  },
  async N28() {
    const { host, username, password } = new URL(world.server().url('edge'))
    const place = { server: `nats://${host}`, user: username, password: decodeURIComponent(password) }
    const link = createNatsLink(() => connectEdge(place), { info: () => undefined, error: () => undefined })
    await new Promise<void>((resolve) => link.onConnection(() => resolve()))
    try {
      const request = createNatsRequest(link, testSigner)
      // The collection's two MB are below what this server carries; one byte more than that is not.
      for (const bytes of [
        NATS_PAYLOAD_BYTES_MAX,
        NATS_PAYLOAD_BYTES_MAX + v.parse(v.number(), inputOf('N28').bytes),
      ]) {
        const asking = request(callSubject(workspace, 'files'), new Uint8Array(bytes), 1000)
        await expect(asking).rejects.toMatchObject({ code: 'too_large' })
      }
      const small = request(callSubject(workspace, 'files'), new Uint8Array(1), 1000)
      await expect(small).rejects.toMatchObject({ code: 'worker_offline' })
    } finally {
      await link.close()
    }
  },
}

async function mayNotAsk(role: 'edge' | 'worker', subject: string, body = ''): Promise<void> {
  const connection = await connectAs(role)
  const refused = await connection.request(subject, body, { timeout: 2000 }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Error)
  if (refused instanceof RequestError) expect(refused.isNoResponders()).toBe(false)
  expect(await refusal(connection, () => connection.publish(subject, body))).toContain('Permissions Violation')
}

/** An id that means something in a subject is refused before it can become a part of one. */
async function namesNoSubject(id: string): Promise<void> {
  const { agent_id } = v.parse(v.object({ agent_id: v.string() }), inputOf(id).args)
  const answer = await client.call('create_agent', {
    agent_id,
    name: 'x',
    managed_file: 'x.py',
    system_prompt: '',
  })
  expect(answer).toMatchObject({ success: false, error: { code: 'invalid_input' } })
}

describe('the open collection of hostile inputs, area nats', () => {
  it('has a test for each', () => {
    expect(Object.keys(cases)).toEqual(items.map(({ id }) => id))
  })

  it.each(Object.entries(cases))('%s', async (_id, run) => {
    await run()
  })
})
