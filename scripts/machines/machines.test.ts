import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInbox, headers, type NatsConnection, nkeys } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMachineSigner } from '#gpu-worker/adapters/ed25519.ts'
import { createMachineIdentity, readMachineFile } from '#gpu-worker/adapters/machine-identity.ts'
import { connectWorker, enrolledNats } from '#gpu-worker/adapters/nats-connection.ts'
import { enrollMachine as enrollHere } from '#gpu-worker/adapters/nats-enrollment.ts'
import { seedBytes } from '#gpu-worker/adapters/nkey-seed.ts'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { formatEnrollmentLine, parseEnrollmentLine } from '#shared/protocol/enroll.ts'
import { type MachineFile, type MachineRole, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import {
  callSubject,
  cancelSubject,
  EDGE_INBOX,
  enrollInbox,
  enrollSubject,
  eventsSubject,
  JOBS_STREAM,
  jobSubject,
  jobsConsumer,
  jobsSubject,
  machineInboxes,
  modelAskSubject,
  modelSubjects,
  registrySubject,
  WORKER_INBOX,
} from '#shared/protocol/subjects.ts'
import { refusal } from '#test/support/nats-refusal.ts'
import { parseKeysOptions } from '../keys/options.ts'
import { findNatsServer } from '../nats-binary.ts'
import { connectNats } from '../nats-connect.ts'
import { type NatsServer, startNatsServer } from '../nats-server.ts'
import { ensureStreams } from '../nats-streams.ts'
import { readEdgeKeys } from './edge-keys.ts'
import { enrollMachine } from './enroll-machine.ts'
import { readMachines } from './machine-store.ts'
import { readNatsPlace } from './nats-place.ts'
import { runMachines } from './run-machines.ts'

const here = toWorkspaceId('here')
const other = toWorkspaceId('other')
const job = createJobId(1000)
const forever = new AbortController().signal

let folder: string
let natsFolder: string
let server: NatsServer
const connections: NatsConnection[] = []
let count = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-machines-'))
  natsFolder = join(folder, 'nats')
  // As other machines reach it: by TLS, with an authority that is its own.
  server = await startNatsServer({ binary: await findNatsServer(), dataFolder: natsFolder, tls: { names: [] } })
  await ensureStreams(server.url('admin'), [here, other], server.authorityFile)
})
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()))
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const edgeKeys = () => readEdgeKeys(join(folder, 'edge-signing-key'))
const newFile = () => join(folder, `machine-${++count}.json`)

/** What the owner does. Resolves with the line; `used` when it has been used, or is worthless. */
async function makeLine(
  name: string,
  role: MachineRole,
  workspace: typeof here | '*',
  goodForMs = 60_000,
  signal = forever,
) {
  const line = Promise.withResolvers<string>()
  const used = enrollMachine({
    natsFolder,
    place: readNatsPlace(natsFolder),
    edge: await edgeKeys(),
    machine: { name, role, workspace },
    url: `tls://127.0.0.1:${server.port}`,
    goodForMs,
    onLine: line.resolve,
    signal,
  })
  used.catch(line.reject)
  return { line: await line.promise, used }
}

async function enroll(name: string, role: MachineRole, workspace: typeof here | '*'): Promise<MachineFile> {
  const { line, used } = await makeLine(name, role, workspace)
  const machine = await enrollHere(line, newFile(), forever)
  expect(await used).toBe(true)
  return machine
}

async function connect(machine: MachineFile): Promise<NatsConnection> {
  const connection = await connectWorker(enrolledNats(machine), machine.name, forever)
  connections.push(connection)
  return connection
}

async function connectAs(role: 'edge' | 'worker', inboxPrefix: string): Promise<NatsConnection> {
  const { authorityFile } = server
  const connection = await connectNats(server.url(role), { name: role, inboxPrefix, authorityFile })
  connections.push(connection)
  return connection
}

describe('a machine', () => {
  it('is enrolled by one line, with a key that it has made itself and nobody else can read', async () => {
    const { line, used } = await makeLine('box', 'repository', here)
    const file = newFile()
    await enrollHere(line, file, forever)
    expect(await used).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const machine = readMachineFile(file)
    expect(machine).toMatchObject({ name: 'box', role: 'repository', workspace: here })
    expect(machine.edge_keys).toEqual((await edgeKeys()).publicKeys)
    // Its key is not that of the line, and is nowhere on the machine of the edge.
    expect(machine.seed).not.toBe(parseEnrollmentLine(line)?.seed)
    for (const name of ['machines.json', 'nats-server.conf']) {
      expect(readFileSync(join(natsFolder, name), 'utf8')).not.toContain(machine.seed)
      expect(statSync(join(natsFolder, name)).mode & 0o777).toBe(0o600)
    }
    expect(readMachines(natsFolder).enrollments).toEqual([])
    expect(createMachineIdentity(machine)).toBeDefined()
    await connect(machine)
  })

  it('is not enrolled twice by one line, nor by half of one, nor over what is there', async () => {
    const { line, used } = await makeLine('once', 'model', '*')
    const file = newFile()
    await expect(enrollHere(line.slice(0, -9), file, forever)).rejects.toMatchObject({ code: 'invalid_input' })
    await enrollHere(line, file, forever)
    await used
    await expect(enrollHere(line, file, forever)).rejects.toMatchObject({ code: 'already_exists' })
    await expect
      .poll(() => enrollHere(line, newFile(), forever).catch((error: { code: string }) => error.code))
      .toBe('unauthenticated')
    await expect(makeLine('once', 'model', '*')).rejects.toThrow(/There is a machine "once" already/)
  })

  it('is not enrolled when the time is over, or the line was taken back', async () => {
    const taken = new AbortController()
    for (const { line, used } of [
      await makeLine('late', 'model', '*', 700),
      await makeLine('back', 'model', '*', 60_000, taken.signal),
    ]) {
      taken.abort()
      expect(await used).toBe(false)
      await expect
        .poll(() => enrollHere(line, newFile(), forever).catch((error: { code: string }) => error.code), {
          timeout: 5000,
        })
        .toBe('unauthenticated')
    }
    expect(readMachines(natsFolder).machines.map(({ name }) => name)).not.toContain('late')
  })

  it('believes no certificate but that of the edge of its line', async () => {
    const { line, used } = await makeLine('misled', 'model', '*')
    const stranger = await readEdgeKeys(join(folder, 'key-of-another-edge'))
    const parsed = parseEnrollmentLine(line)
    if (parsed === undefined) throw new Error('no line')
    const file = newFile()
    const altered = formatEnrollmentLine({ ...parsed, edge_keys: [...stranger.publicKeys] })
    await expect(enrollHere(altered, file, forever)).rejects.toMatchObject({ code: 'forbidden' })
    await used
    expect(() => readMachineFile(file)).toThrow(/no credentials/)
  })

  it('is not enrolled with the key of another one', async () => {
    const victim = await enroll('victim', 'model', '*')
    const { line, used } = await makeLine('thief', 'model', '*', 2000)
    const parsed = parseEnrollmentLine(line)
    if (parsed === undefined) throw new Error('no line')
    const inbox = enrollInbox('thief')
    const { url, authority } = parsed
    const nats = {
      url,
      ...(authority === null ? {} : { authority }),
      machine: { seed: parsed.seed, inboxes: { own: inbox, model: inbox } },
    }
    const connection = await connectWorker(nats, 'thief', forever)
    connections.push(connection)
    const signer = createMachineSigner(seedBytes(parsed.seed))
    const user = nkeys.fromSeed(new TextEncoder().encode(victim.seed)).getPublicKey()
    const body = new TextEncoder().encode(JSON.stringify({ public_key: signer.publicKey, user }))
    const signed = headers()
    signed.set(SIGNATURE_HEADER, signer.sign({ purpose: 'enroll', subject: enrollSubject('thief'), body }))
    await expect(connection.request(enrollSubject('thief'), body, { timeout: 1000, headers: signed })).rejects.toThrow()
    expect(await used).toBe(false)
    expect(readMachines(natsFolder).machines.map(({ name }) => name)).not.toContain('thief')
  })

  it('that is revoked is parted at once, and not let in again', async () => {
    const machine = await enroll('gone', 'repository', here)
    const connection = await connect(machine)
    const parted = connection.closed()
    const said: string[] = []
    const atEdge: object[] = []
    const options = parseKeysOptions(['revoke-machine', 'gone'])
    const world = {
      edgeFolder: folder,
      natsFolder,
      workspace: here,
      resolve: (path: string) => path,
      print: (text: string) => said.push(text),
      signal: forever,
      revokeAtEdge: async (revoked: object) => void atEdge.push(revoked),
    }
    const { publicKey } = createMachineSigner(seedBytes(machine.seed))
    const unreachable = { ...world, revokeAtEdge: () => Promise.reject(new Error('no edge')) }
    await expect(runMachines('revoke-machine', options, unreachable)).rejects.toThrow('no edge')
    expect(readMachines(natsFolder).machines.map(({ name }) => name)).toContain('gone')
    expect(await runMachines('revoke-machine', options, world)).toBe(0)
    expect(atEdge).toEqual([{ public_key: publicKey, name: 'gone' }])
    expect(await parted).toBeInstanceOf(Error)
    await expect(connect(machine)).rejects.toMatchObject({ code: 'unauthenticated' })
    await runMachines('machines', options, world)
    expect(said.at(-1)).not.toContain('gone')
    await expect(runMachines('revoke-machine', options, world)).rejects.toThrow(/no machine "gone"/)
    // One that a NATS of somebody's own lets in is known by its key alone.
    expect(await runMachines('revoke-machine', parseKeysOptions(['revoke-machine', publicKey]), world)).toBe(0)
    expect(atEdge.at(-1)).toEqual({ public_key: publicKey })
  })
})

describe('an enrolled machine', () => {
  let worker: MachineFile
  let model: MachineFile
  beforeAll(async () => {
    worker = await enroll('worker', 'repository', here)
    model = await enroll('model', 'model', here)
  })

  it('answers calls, asks the registry and model workers, and hears answers in inboxes of its own', async () => {
    const connection = await connect(worker)
    const serving = await connect(model)
    const edge = await connectAs('edge', EDGE_INBOX)
    connection.subscribe(callSubject(here, 'files'), { callback: (_error, message) => void message.respond('file') })
    edge.subscribe(registrySubject('*', '>'), { callback: (_error, message) => void message.respond('yes') })
    serving.subscribe(modelAskSubject(here, 'm'), { callback: (_error, message) => void message.respond('token') })
    await Promise.all([connection.flush(), edge.flush(), serving.flush()])
    expect((await edge.request(callSubject(here, 'files'), '')).string()).toBe('file')
    expect((await connection.request(registrySubject(here, 'find_over'), '')).string()).toBe('yes')
    const inbox = createInbox(machineInboxes('worker').model)
    const answers = connection.subscribe(inbox, { max: 1 })
    connection.publish(modelAskSubject(here, 'm'), '', { reply: inbox })
    for await (const message of answers) expect(message.string()).toBe('token')
  })

  it.each<[MachineRole, string]>([
    ['repository', callSubject(here, 'files')],
    ['repository', jobsSubject(here)],
    ['repository', cancelSubject(here, job)],
    ['repository', registrySubject(other, 'claim_job')],
    ['repository', jobSubject(other, job)],
    ['repository', eventsSubject(other)],
    ['repository', modelAskSubject(other, 'm')],
    ['repository', `${machineInboxes('worker').own}.forged`],
    ['repository', `${WORKER_INBOX}.forged`],
    ['repository', `$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${jobsConsumer(other)}`],
    ['repository', `$JS.API.STREAM.DELETE.${JOBS_STREAM}`],
    ['repository', '$JS.API.STREAM.CREATE.OTHER'],
    ['model', registrySubject(here, 'claim_job')],
    ['model', modelAskSubject(here, 'm')],
    ['model', `${EDGE_INBOX}.forged`],
    ['model', `${machineInboxes('worker').own}.forged`],
    ['model', 'mw.enroll.worker'],
  ])('of role %s may not publish %s', async (role, subject) => {
    const connection = await connect(role === 'model' ? model : worker)
    expect(await refusal(connection, () => connection.publish(subject, 'x'))).toContain('Permissions Violation')
  })

  it.each<[MachineRole, string]>([
    ['repository', callSubject(other, '>')],
    ['repository', callSubject('*', '>')],
    ['repository', cancelSubject('*', '*')],
    ['repository', modelSubjects(other)],
    ['repository', `${machineInboxes('model').own}.>`],
    ['repository', '_INBOX_machine.>'],
    ['repository', `${WORKER_INBOX}.>`],
    ['repository', `${EDGE_INBOX}.>`],
    ['repository', '_INBOX.>'],
    ['repository', 'mw.enroll.*'],
    ['model', modelSubjects(other)],
    ['model', callSubject(here, '>')],
    ['model', `${machineInboxes('worker').model}.>`],
    ['model', `${machineInboxes('worker').own}.>`],
  ])('of role %s may not listen on %s', async (role, subject) => {
    const connection = await connect(role === 'model' ? model : worker)
    const said = refusal(connection, () => connection.subscribe(subject, { callback: () => undefined }))
    expect(await said).toContain('Permissions Violation')
  })

  it('has inboxes that the worker with a password does not hear', async () => {
    const connection = await connectAs('worker', WORKER_INBOX)
    const listen = () => connection.subscribe(`${machineInboxes('worker').own}.>`, { callback: () => undefined })
    expect(await refusal(connection, listen)).toContain('Permissions Violation')
  })
})
