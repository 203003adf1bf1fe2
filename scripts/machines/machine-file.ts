import { nkeys } from '@nats-io/nats-core'
import * as v from 'valibot'
import { createMachineSigner } from '#gpu-worker/adapters/ed25519.ts'
import { seedBytes } from '#gpu-worker/adapters/nkey-seed.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { MachineFile, type MachineRole } from '#shared/protocol/signature.ts'
import { readFileIfAny, writePrivateFile } from '../private-files.ts'
import type { EdgeKeys } from './edge-keys.ts'

/** A new key of a machine, as the seed of an nkey. */
const createMachineSeed = (): string => new TextDecoder().decode(nkeys.createUser().getSeed())

/**
 * The credentials of a worker on the machine of its edge: nobody has to enroll it. Its key stays over a new start; what the edge
 * says of it, and by which keys, is written anew. Where NATS is it is told otherwise. Resolves with its public key.
 */
export async function writeLocalMachine(
  file: string,
  edge: EdgeKeys,
  {
    name = 'local',
    role = 'repository',
    workspace,
  }: { name?: string; role?: MachineRole; workspace: WorkspaceId | '*' },
): Promise<string> {
  const known = v.safeParse(v.pipe(v.string(), v.parseJson(), MachineFile), readFileIfAny(file))
  const machine = await makeMachine(edge, { name, role, workspace }, known.success ? known.output.seed : undefined)
  writePrivateFile(file, `${JSON.stringify(machine, null, 2)}\n`)
  return createMachineSigner(seedBytes(machine.seed)).publicKey
}

/** The credentials of a machine, which is not told where NATS is, with a new key unless it has one. */
export async function makeMachine(
  edge: EdgeKeys,
  { name, role, workspace }: Pick<MachineFile, 'name' | 'role' | 'workspace'>,
  seed = createMachineSeed(),
): Promise<MachineFile> {
  const { publicKey } = createMachineSigner(seedBytes(seed))
  return {
    name,
    role,
    workspace,
    seed,
    edge_keys: edge.publicKeys.slice(0, 2),
    certificate: await edge.certify({ name, role, workspace, publicKey }),
    nats: null,
  }
}
