import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import {
  ClaimJob,
  type ClaimJobReply,
  decodeMessage,
  encodeMessage,
  FindOver,
  type FindOverReply,
  FindOwners,
  type FindOwnersReply,
  FinishJob,
  type FinishJobReply,
} from '#shared/protocol/envelope.ts'
import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type RegistryOperation, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { JobState } from '#shared/schemas/job.ts'
import type { AppPorts } from '../ports/edge-ports.ts'
import { checkOutcome } from './outcome.ts'

type Ports = Pick<AppPorts, 'registry' | 'bus'>

/**
 * Answers one of a worker's questions to the registry. `workspace` comes from the subject, which the worker's credential
 * limits; the message itself is not believed about it. Rejects where the question cannot be read or the registry fails:
 * then no answer is sent, and the worker asks again.
 */
export type RegistryService = (
  workspace: WorkspaceId,
  operation: RegistryOperation,
  question: Uint8Array,
) => Promise<Uint8Array>

export function createRegistryService({ registry, bus }: Ports): RegistryService {
  const announce = (workspace: WorkspaceId, jobId: string, state: JobState) =>
    bus.announce(workspace, { v: WIRE_VERSION, type: 'job_changed', job_id: jobId, state })

  const operations: Record<RegistryOperation, (workspace: WorkspaceId, question: Uint8Array) => Promise<unknown>> = {
    async claim_job(workspace, bytes): Promise<ClaimJobReply> {
      const { job_id, worker_id } = decodeMessage('a claim', ClaimJob, bytes)
      const reply = await registry.claimJob(workspace, job_id, worker_id)
      if (reply.claim === 'run') announce(workspace, job_id, 'running')
      return reply
    },

    async finish_job(workspace, bytes): Promise<FinishJobReply> {
      const { job_id, fence, outcome } = decodeMessage('an outcome', FinishJob, bytes)
      const job = await registry.getJob(workspace, job_id).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'not_found') return null
        throw error
      })
      if (job === null) return { v: WIRE_VERSION, accepted: false }
      const checked = checkOutcome(job.job.tool, outcome)
      const accepted = await registry.finishJob(workspace, job_id, fence, checked)
      if (accepted) announce(workspace, job_id, checked.state)
      return { v: WIRE_VERSION, accepted }
    },

    async find_over(workspace, bytes): Promise<FindOverReply> {
      const { jobs } = decodeMessage('a question for ended jobs', FindOver, bytes)
      return { v: WIRE_VERSION, over: [...(await registry.findOver(workspace, jobs))] }
    },

    async find_owners(workspace, bytes): Promise<FindOwnersReply> {
      const { file_keys } = decodeMessage('a question for owners', FindOwners, bytes)
      const owners = await registry.findOwners(workspace, file_keys)
      return { v: WIRE_VERSION, owners: Object.fromEntries(owners) }
    },
  }

  return async (workspace, operation, question) =>
    encodeMessage("the registry's reply", await operations[operation](workspace, question), NATS_PAYLOAD_BYTES_MAX)
}
