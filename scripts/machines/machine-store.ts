import { join } from 'node:path'
import * as v from 'valibot'
import { WorkspaceId } from '#shared/ids.ts'
import { MachineName, MachineRole } from '#shared/protocol/signature.ts'
import { readFileIfAny, writePrivateFile } from '../private-files.ts'

const NatsUser = v.pipe(v.string(), v.regex(/^U[A-Z2-7]{55}$/))

/** A machine that NATS lets in by a key of its own. */
const KnownMachine = v.object({
  name: MachineName,
  role: MachineRole,
  workspace: v.union([v.literal('*'), WorkspaceId]),
  /** The public half of its key, as an nkey. */
  user: NatsUser,
  /** Epoch milliseconds. */
  enrolled_at: v.number(),
})
export type KnownMachine = v.InferOutput<typeof KnownMachine>

/** Somebody who may hand over a machine's key until then, and nothing else. */
const Enrollment = v.object({ name: MachineName, user: NatsUser, expires_at: v.number() })
export type Enrollment = v.InferOutput<typeof Enrollment>

const Machines = v.object({ machines: v.array(KnownMachine), enrollments: v.array(Enrollment) })
export type Machines = v.InferOutput<typeof Machines>

/** In the folder of the NATS server, which follows it while it runs. */
export const machinesFile = (natsFolder: string): string => join(natsFolder, 'machines.json')

/** Throws an Error for a person where the file is damaged. */
export function readMachines(natsFolder: string): Machines {
  const file = machinesFile(natsFolder)
  const text = readFileIfAny(file)
  if (text === undefined) return { machines: [], enrollments: [] }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Machines), text)
  if (!parsed.success) throw new Error(`Cannot read the enrolled machines: ${file} is damaged`)
  return parsed.output
}

/** Replaces what is known by what `change` makes of it. For one person at one machine: two at once may lose a change. */
export function changeMachines(natsFolder: string, change: (machines: Machines) => Machines): void {
  writePrivateFile(machinesFile(natsFolder), `${JSON.stringify(change(readMachines(natsFolder)), null, 2)}\n`)
}
