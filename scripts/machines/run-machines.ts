import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { createSigningKey, importSigningKey } from '#functions/adapters/ed25519-signer.ts'
import { userBytes } from '#gpu-worker/adapters/nkey-seed.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { PublicKey } from '#shared/protocol/signature.ts'
import type { KeysOptions, MachineCommand } from '../keys/options.ts'
import { readEdgeKeys } from './edge-keys.ts'
import { enrollMachine } from './enroll-machine.ts'
import { writeLocalMachine } from './machine-file.ts'
import { changeMachines, readMachines } from './machine-store.ts'
import { type NatsPlace, readNatsPlace } from './nats-place.ts'

export interface MachinesWorld {
  readonly edgeFolder: string
  readonly natsFolder: string
  readonly workspace: WorkspaceId
  /** A file by what the person wrote, from where they stand. */
  readonly resolve: (path: string) => string
  readonly print: (text: string) => void
  readonly signal: AbortSignal
  /** Has the edge take nothing of this machine any more. */
  readonly revokeAtEdge: (machine: { readonly public_key: string; readonly name?: string }) => Promise<void>
}

const GOOD_FOR_MS = 15 * 60_000

/** Runs one command about machines. Resolves with the exit status; rejects with an Error for a person. */
export async function runMachines(
  command: MachineCommand,
  options: KeysOptions,
  world: MachinesWorld,
): Promise<number> {
  switch (command) {
    case 'machine':
      return enroll(options, world)
    case 'machines':
      return list(world)
    case 'revoke-machine':
      return revoke(options.subject, world)
    case 'edge-key':
      return showKeys(options.make, world)
  }
}

async function enroll(options: KeysOptions, world: MachinesWorld): Promise<number> {
  const { natsFolder, workspace, print, signal } = world
  const { subject: name, machineRole: role } = options
  const everywhere = role === 'model' && options.workspace === undefined
  const edge = await readEdgeKeys(join(world.edgeFolder, 'signing-key'))
  if (options.out !== undefined) {
    const file = world.resolve(options.out)
    if (existsSync(file)) throw new Error(`There is a file ${file} already`)
    const publicKey = await writeLocalMachine(file, edge, { name, role, workspace: everywhere ? '*' : workspace })
    print(
      `Wrote ${file}. It holds a private key: carry it to the machine safely, and start the worker with --machine.\nTake it back with: npm run keys -- revoke-machine ${publicKey}`,
    )
    return 0
  }
  const place = readNatsPlace(natsFolder)
  const used = await enrollMachine({
    natsFolder,
    place,
    edge,
    machine: { name, role, workspace: everywhere ? '*' : workspace },
    url: options.url ?? defaultUrl(place),
    goodForMs: GOOD_FOR_MS,
    onLine: (line) =>
      print(
        `On the new machine, once, within ${GOOD_FOR_MS / 60_000} minutes:\n\n  npm run worker -- enroll ${line}\n\nWaiting for it; Ctrl-C takes the line back.`,
      ),
    signal,
  })
  print(used ? `"${name}" is enrolled.` : `Nobody has used the line; it is worthless now.`)
  return used ? 0 : 1
}

function defaultUrl({ loopback, host, port, secure }: NatsPlace): string {
  return `${secure ? 'tls' : 'nats'}://${loopback ? host : hostname()}:${port}`
}

async function list({ natsFolder, print }: MachinesWorld): Promise<number> {
  const { machines } = readMachines(natsFolder)
  const lines = machines.map(
    ({ name, role, workspace, enrolled_at }) =>
      `${name}: ${role}, ${workspace === '*' ? 'all workspaces' : workspace}, since ${new Date(enrolled_at).toISOString().slice(0, 10)}`,
  )
  print(lines.length === 0 ? 'No machine is enrolled.' : lines.join('\n'))
  return 0
}

async function revoke(subject: string, { natsFolder, print, revokeAtEdge }: MachinesWorld): Promise<number> {
  const machine = readMachines(natsFolder).machines.find(
    ({ name, user }) => name === subject || publicKeyOf(user) === subject,
  )
  if (machine === undefined) {
    if (!v.is(PublicKey, subject)) {
      throw new Error(`There is no machine "${subject}"; "npm run keys -- machines" shows them`)
    }
    await revokeAtEdge({ public_key: subject })
    print('The edge takes nothing of this machine any more. Remove its user from your NATS server.')
    return 0
  }
  const { name, user } = machine
  // First, so that who cannot reach the edge finds the machine still there for another try.
  await revokeAtEdge({ public_key: publicKeyOf(user), name })
  changeMachines(natsFolder, ({ machines, enrollments }) => ({
    machines: machines.filter((each) => each.name !== name),
    enrollments,
  }))
  print(`"${name}" is parted from NATS within a second, where it runs, and not let in again.`)
  return 0
}

/** Of an nkey: its 32 bytes in base64url, as certificates have it. */
const publicKeyOf = (user: string): string => Buffer.from(userBytes(user)).toString('base64url')

async function showKeys(make: boolean, { edgeFolder, print }: MachinesWorld): Promise<number> {
  if (make) {
    const key = createSigningKey()
    print(`Private (MILLWRIGHT_SIGNING_KEY; kept nowhere): ${key}\nPublic: ${(await importSigningKey(key)).publicKey}`)
    return 0
  }
  print((await readEdgeKeys(join(edgeFolder, 'signing-key'))).publicKeys.join('\n'))
  return 0
}
