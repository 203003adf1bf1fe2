import { readFileSync, statSync } from 'node:fs'
import { headers, type MsgHdrs } from '@nats-io/transport-node'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import {
  CERTIFICATE_HEADER,
  type Machine,
  MachineFile,
  SIGNATURE_HEADER,
  type Statement,
} from '#shared/protocol/signature.ts'
import { createEdgeTrust, createMachineSigner, type EdgeTrust, verifyOf } from './ed25519.ts'
import { seedBytes } from './nkey-seed.ts'

/** Who a worker is to others, and whom it believes. */
export interface MachineIdentity {
  readonly trust: EdgeTrust
  /** Headers that prove a message to be this machine's. */
  prove(statement: Statement): MsgHdrs
  /** The machine that made a message. Throws `forbidden` where none that the edge knows has. */
  verifyPeer(what: string, statement: Statement, given: MsgHdrs | undefined): Machine
}

export function createMachineIdentity({ seed, certificate, edge_keys }: MachineFile): MachineIdentity {
  const trust = createEdgeTrust(edge_keys)
  const signer = createMachineSigner(seedBytes(seed))
  return {
    trust,
    prove(statement) {
      const all = headers()
      all.set(SIGNATURE_HEADER, signer.sign(statement))
      all.set(CERTIFICATE_HEADER, certificate)
      return all
    },
    verifyPeer(what, statement, given) {
      const machine = trust.verifyMachine(what, given?.get(CERTIFICATE_HEADER))
      verifyOf(machine, what, statement, given?.get(SIGNATURE_HEADER))
      return machine
    },
  }
}

const enroll =
  'Enroll this machine: npm run keys -- machine NAME on that of the edge, then npm run worker -- enroll LINE here'

/**
 * What enrolling has left here. Throws `invalid_input` where there is nothing, or something else, and `forbidden` where others
 * may have read it.
 */
export function readMachineFile(file: string): MachineFile {
  let text: string
  try {
    const { mode } = statSync(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new AppError('forbidden', `Cannot use ${file}: others can read it`, {
        hint: `Revoke this machine (npm run keys -- revoke-machine NAME), delete the file. ${enroll}`,
      })
    }
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('invalid_input', `Cannot start the worker: it has no credentials in ${file}`, {
      cause,
      hint: enroll,
    })
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), MachineFile), text)
  if (!parsed.success)
    throw new AppError('invalid_input', `Cannot start the worker: ${file} is damaged`, { hint: enroll })
  return parsed.output
}
