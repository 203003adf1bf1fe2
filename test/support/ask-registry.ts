import { randomBytes } from 'node:crypto'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { MachineIdentity } from '#gpu-worker/adapters/machine-identity.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { NONCE_HEADER, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { type RegistryOperation, registrySubject } from '#shared/protocol/subjects.ts'

/** A question to the registry, and the headers that a worker sends with it. */
export interface SignedQuestion {
  readonly subject: string
  readonly body: Uint8Array
  readonly headers: ReturnType<MachineIdentity['prove']>
}

/** A question as a worker signs it, for a test that sends it itself, or does something to it before. */
export function signQuestion(
  machine: MachineIdentity,
  workspace: WorkspaceId,
  operation: RegistryOperation,
  question: object,
): SignedQuestion {
  const subject = registrySubject(workspace, operation)
  const body = new TextEncoder().encode(JSON.stringify({ v: 1, ...question }))
  const nonce = randomBytes(16).toString('base64url')
  const headers = machine.prove({ purpose: 'question', subject, body, question: nonce })
  headers.set(NONCE_HEADER, nonce)
  return { subject, body, headers }
}

/** Rejects where nobody answers within two seconds. */
export const sendQuestion = (connection: NatsConnection, { subject, body, headers }: SignedQuestion): Promise<Msg> =>
  connection.request(subject, body, { timeout: 2000, headers })

/** The same question without what its worker has signed. */
export function unsigned({ subject, body, headers }: SignedQuestion): SignedQuestion {
  headers.delete(SIGNATURE_HEADER)
  return { subject, body, headers }
}
