import { join } from 'node:path'
import { createSigningKey, importSigningKey, lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { createEdgeTrust } from '#gpu-worker/adapters/ed25519.ts'
import { createMachineIdentity, type MachineIdentity } from '#gpu-worker/adapters/machine-identity.ts'
import { readEdgeKeys, toEdgeKeys } from '#scripts/machines/edge-keys.ts'
import { makeMachine } from '#scripts/machines/machine-file.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import type { MachineRole } from '#shared/protocol/signature.ts'

const key = createSigningKey()

/** What signs as the edge, where a test plays it. */
export const testSigner = lazySigner(key)

/** A worker's trust in `testSigner`. */
export const testTrust = createEdgeTrust([(await importSigningKey(key)).publicKey])

/** A machine that the edge of `testSigner` has certified. */
export const testMachine = async (workspace: WorkspaceId, role: MachineRole = 'repository'): Promise<MachineIdentity> =>
  createMachineIdentity(await makeMachine(await toEdgeKeys([key]), { name: 'tested', role, workspace }))

/** A new machine that the edge of a folder has certified, as enrolling leaves it. */
export const machineOf = async (
  folder: string,
  workspace: WorkspaceId,
  { name = 'tested', role = 'repository' }: { name?: string; role?: MachineRole } = {},
): Promise<MachineIdentity> =>
  createMachineIdentity(await makeMachine(await readEdgeKeys(join(folder, 'signing-key')), { name, role, workspace }))
