import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { createInbox, type NatsConnection } from '@nats-io/nats-core'
import { Svcm } from '@nats-io/services'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { JOBS_QUEUED_MAX, NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import {
  callSubject,
  cancelSubject,
  EDGE_INBOX,
  eventsSubject,
  JOBS_STREAM,
  jobSubject,
  jobsConsumer,
  jobsSubject,
  MODEL_ANSWER_INBOX,
  modelAskSubject,
  modelSubjects,
  registrySubject,
  WORKER_INBOX,
} from '#shared/protocol/subjects.ts'
import { refusal } from '#test/support/nats-refusal.ts'
import { findNatsServer } from './nats-binary.ts'
import { ADMIN_INBOX } from './nats-config.ts'
import { connectNats } from './nats-connect.ts'
import { type NatsServer, startNatsServer } from './nats-server.ts'
import { ensureStreams } from './nats-streams.ts'
import { processEnded } from './test-support/process-ended.ts'

const workspace = toWorkspaceId('ledger')
const other = toWorkspaceId('other')
const job = createJobId(Date.now())

let folder: string
let binary: string
let server: NatsServer
const connections: NatsConnection[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-nats-'))
  binary = await findNatsServer()
  server = await startNatsServer({ binary, dataFolder: join(folder, 'main') })
  await ensureStreams(server.url('admin'), [workspace, other])
})

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()))
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const inboxes = { admin: ADMIN_INBOX, edge: EDGE_INBOX, worker: WORKER_INBOX, model: MODEL_ANSWER_INBOX }

async function connectAs(role: keyof typeof inboxes, to: NatsServer = server): Promise<NatsConnection> {
  const connection = await connectNats(to.url(role), { name: role, inboxPrefix: inboxes[role] })
  connections.push(connection)
  return connection
}

describe('the nats-server', () => {
  it('listens on the loopback alone and keeps configuration and passwords to its owner', () => {
    const config = readFileSync(join(folder, 'main', 'nats-server.conf'), 'utf8')
    expect(config).toContain('host: "127.0.0.1"')
    expect(config).not.toMatch(/http/)
    for (const file of ['nats-server.conf', 'passwords.json']) {
      expect(statSync(join(folder, 'main', file)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(join(folder, 'main')).mode & 0o777).toBe(0o700)
  })

  it('refuses who has no password', async () => {
    const url = new URL(server.url('edge'))
    url.password = 'wrong'
    await expect(connectNats(url.href, { name: 'stranger', inboxPrefix: 'x' })).rejects.toThrow(/auth/i)
    await expect(
      connectNats(`nats://127.0.0.1:${server.port}`, { name: 'stranger', inboxPrefix: 'x' }),
    ).rejects.toThrow(/auth/i)
  })

  it('carries messages of the agreed size', async () => {
    expect((await connectAs('edge')).info?.max_payload).toBe(NATS_PAYLOAD_BYTES_MAX)
  })

  it('lets the edge call the worker, and the operator count the workers', async () => {
    const worker = await connectAs('worker')
    const service = await new Svcm(worker).add({ name: 'repository', version: '1.0.0', queue: 'repository' })
    service.addEndpoint('files', {
      subject: callSubject(workspace, 'files'),
      handler: (_error, message) => {
        message.respond('pong')
      },
    })
    await worker.flush()
    const edge = await connectAs('edge')
    expect((await edge.request(callSubject(workspace, 'files'), 'ping')).string()).toBe('pong')
    const found = await new Svcm(await connectAs('admin')).client().ping('repository')
    const names = []
    for await (const identity of found) names.push(identity.name)
    expect(names).toEqual(['repository'])
  })

  it('lets a worker see whether another one serves the repository, though not what it answers', async () => {
    const second = await connectAs('worker')
    const ping = () => second.request('$SRV.PING.repository', '', { timeout: 300 })
    await expect(ping()).rejects.toMatchObject({ cause: { name: 'NoResponders' } })
    const first = await connectAs('worker')
    await new Svcm(first).add({ name: 'repository', version: '1.0.0' })
    await first.flush()
    await expect(ping()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('lets the worker ask the registry and report progress, and both hear events and cancels', async () => {
    const edge = await connectAs('edge')
    const worker = await connectAs('worker')
    edge.subscribe(registrySubject('*', '>'), { callback: (_error, message) => void message.respond('run') })
    const progress = edge.subscribe(jobSubject('*', '*'), { max: 1 })
    const events = edge.subscribe(eventsSubject('*'), { max: 1 })
    const cancels = worker.subscribe(cancelSubject(workspace, '*'), { max: 1 })
    await Promise.all([edge.flush(), worker.flush()])
    expect((await worker.request(registrySubject(workspace, 'claim_job'), 'mine?')).string()).toBe('run')
    worker.publish(jobSubject(workspace, job), 'half')
    worker.publish(eventsSubject(workspace), 'changed')
    edge.publish(cancelSubject(workspace, job), 'stop')
    for (const [subscription, text] of [
      [progress, 'half'],
      [events, 'changed'],
      [cancels, 'stop'],
    ] as const) {
      for await (const message of subscription) expect(message.string()).toBe(text)
    }
  })

  it('lets a worker ask the model workers, and one of them answer', async () => {
    const model = await connectAs('model')
    model.subscribe(modelAskSubject('*', 'a/b:c'), {
      queue: 'm',
      callback: (_error, message) => void message.respond('tokens'),
    })
    await model.flush()
    const worker = await connectAs('worker')
    const inbox = createInbox(MODEL_ANSWER_INBOX)
    const answers = worker.subscribe(inbox, { max: 1 })
    worker.publish(modelAskSubject(workspace, 'a/b:c'), 'text', { reply: inbox })
    for await (const message of answers) expect(message.string()).toBe('tokens')
  })

  it('makes the password of model workers where an older start made none, and keeps the others', async () => {
    const dataFolder = join(folder, 'older')
    mkdirSync(dataFolder, { mode: 0o700 })
    const file = join(dataFolder, 'passwords.json')
    const before = { admin: 'a'.repeat(32), edge: 'b'.repeat(32), worker: 'c'.repeat(32) }
    writeFileSync(file, JSON.stringify(before), { mode: 0o600 })
    const older = await startNatsServer({ binary, dataFolder })
    try {
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...before, model: expect.stringMatching(/.{16,}/) })
      await connectAs('model', older)
    } finally {
      await Promise.all(connections.splice(0).map((connection) => connection.close()))
      await older.stop()
    }
  })

  it('hands a job from the edge to the worker, redelivers it when refused, and forgets it when confirmed', async () => {
    const edge = await connectAs('edge')
    const worker = await connectAs('worker')
    const errors: string[] = []
    void (async () => {
      for await (const status of worker.status()) if (status.type === 'error') errors.push(status.error.message)
    })()
    await jetstream(edge).publish(jobsSubject(workspace), 'work')
    const consumer = await jetstream(worker).consumers.get(JOBS_STREAM, jobsConsumer(workspace))
    const first = await consumer.next({ expires: 5000 })
    expect(first?.string()).toBe('work')
    first?.working()
    first?.nak()
    const second = await consumer.next({ expires: 5000 })
    expect(second?.info.deliveryCount).toBe(2)
    expect(await second?.ackAck()).toBe(true)

    await jetstream(edge).publish(jobsSubject(workspace), 'next')
    const messages = await consumer.consume({ max_messages: 1 })
    for await (const message of messages) {
      expect(message.string()).toBe('next')
      message.term('tested')
      break
    }
    await worker.flush()
    const manager = await jetstreamManager(await connectAs('admin'))
    expect((await manager.streams.info(JOBS_STREAM)).state.messages).toBe(0)
    expect(errors).toEqual([])
  })

  it('refuses jobs past the limit of one workspace, and takes those of another', async () => {
    const full = await startNatsServer({ binary, dataFolder: join(folder, 'full') })
    try {
      await ensureStreams(full.url('admin'), [workspace, other])
      const queue = jetstream(await connectAs('edge', full))
      for (let count = 0; count < JOBS_QUEUED_MAX; count++) await queue.publish(jobsSubject(workspace), 'job')
      await expect(queue.publish(jobsSubject(workspace), 'one too many')).rejects.toMatchObject({ code: 10077 })
      await queue.publish(jobsSubject(other), 'job')
    } finally {
      await Promise.all(connections.splice(0).map((connection) => connection.close()))
      await full.stop()
    }
  })

  it.each([
    ['edge', registrySubject(workspace, 'claim_job')],
    ['edge', jobSubject(workspace, job)],
    ['edge', `${EDGE_INBOX}.forged`],
    ['edge', `$JS.API.STREAM.PURGE.${JOBS_STREAM}`],
    ['edge', `$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${jobsConsumer(workspace)}`],
    ['worker', callSubject(workspace, 'files')],
    ['worker', jobsSubject(workspace)],
    ['worker', cancelSubject(workspace, job)],
    ['worker', `${WORKER_INBOX}.forged`],
    ['worker', `$JS.API.STREAM.DELETE.${JOBS_STREAM}`],
    ['worker', `$JS.API.CONSUMER.CREATE.${JOBS_STREAM}`],
    ['worker', `$JS.API.STREAM.MSG.GET.${JOBS_STREAM}`],
    ['admin', callSubject(workspace, 'files')],
    ['admin', jobsSubject(workspace)],
    ['edge', modelAskSubject(workspace, 'm')],
    ['edge', '$SRV.PING.repository'],
    ['edge', `${MODEL_ANSWER_INBOX}.forged`],
    ['edge', `$JS.API.STREAM.CREATE.OTHER`],
    ['worker', '$JS.API.STREAM.CREATE.OTHER'],
    ['model', eventsSubject(workspace)],
    ['admin', registrySubject(workspace, 'claim_job')],
    ['model', modelAskSubject(workspace, 'm')],
    ['model', registrySubject(workspace, 'claim_job')],
    ['model', `${WORKER_INBOX}.forged`],
    ['model', `${EDGE_INBOX}.forged`],
    ['model', `$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${jobsConsumer(workspace)}`],
  ] as const)('does not let %s publish %s', async (role, subject) => {
    const connection = await connectAs(role)
    expect(await refusal(connection, () => connection.publish(subject, 'x'))).toContain('Permissions Violation')
  })

  it.each([
    ['edge', `${WORKER_INBOX}.>`],
    ['edge', callSubject('*', '>')],
    ['edge', '>'],
    ['worker', `${EDGE_INBOX}.>`],
    ['worker', registrySubject('*', '>')],
    ['worker', jobsSubject('*')],
    ['worker', '_INBOX.>'],
    ['edge', modelSubjects('*')],
    ['edge', `${ADMIN_INBOX}.>`],
    ['edge', jobsSubject('*')],
    ['worker', `${ADMIN_INBOX}.>`],
    ['worker', eventsSubject('*')],
    ['model', registrySubject('*', '>')],
    ['model', callSubject('*', '>')],
    ['model', cancelSubject('*', '*')],
    ['model', `${WORKER_INBOX}.>`],
    // Prompts go to a model worker; what others answer does not.
    ['model', `${MODEL_ANSWER_INBOX}.>`],
    ['admin', '>'],
  ] as const)('does not let %s listen on %s', async (role, subject) => {
    const connection = await connectAs(role)
    const said = refusal(connection, () => connection.subscribe(subject, { callback: () => undefined }))
    expect(await said).toContain('Permissions Violation')
  })

  it('keeps passwords and waiting jobs over a kill and a new start, and mends a changed stream', async () => {
    const dataFolder = join(folder, 'restart')
    const first = await startNatsServer({ binary, dataFolder })
    await ensureStreams(first.url('admin'), [workspace])
    await jetstream(await connectAs('edge', first)).publish(jobsSubject(workspace), 'survivor')
    const url = first.url('worker')
    first.kill()
    expect((await first.exited).signal).toBe('SIGKILL')

    const second = await startNatsServer({ binary, dataFolder, port: first.port })
    try {
      expect(second.url('worker')).toBe(url)
      const admin = await jetstreamManager(await connectAs('admin', second))
      await admin.streams.update(JOBS_STREAM, { max_msgs_per_subject: 1 })
      await ensureStreams(second.url('admin'), [workspace, other])
      expect((await admin.streams.info(JOBS_STREAM)).config.max_msgs_per_subject).toBe(JOBS_QUEUED_MAX)
      const consumer = await jetstream(await connectAs('worker', second)).consumers.get(
        JOBS_STREAM,
        jobsConsumer(workspace),
      )
      expect((await consumer.next({ expires: 5000 }))?.string()).toBe('survivor')
    } finally {
      await Promise.all(connections.splice(0).map((connection) => connection.close()))
      await second.stop()
    }
  })

  it('says why it did not start', async () => {
    const dataFolder = join(folder, 'taken')
    await expect(startNatsServer({ binary, dataFolder, port: server.port })).rejects.toThrow(
      /Cannot start nats-server: .*[\s\S]*address already in use/,
    )
    await expect(startNatsServer({ binary: '/nonexistent/nats-server', dataFolder })).rejects.toThrow(/exit status 127/)
  })

  it('ends when the process that started it is killed', async () => {
    const holder = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'test-support', 'nats-holder.ts')],
      {
        env: { ...process.env, HOLDER_BINARY: binary, HOLDER_DATA: join(folder, 'held') },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [line] = await once(createInterface({ input: holder.stdout }), 'line')
    const pid = Number(line)
    expect(() => process.kill(pid, 0)).not.toThrow()
    holder.kill('SIGKILL')
    await processEnded(pid)
  })
})
