import { AppError } from '#shared/errors.ts'
import type { JobId, WorkspaceId } from '#shared/ids.ts'
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
  ListOwners,
  type ListOwnersReply,
  ReleaseAgent,
  type ReleaseAgentReply,
  TakeAgent,
  type TakeAgentReply,
} from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type RegistryOperation, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { jobChanged } from '#shared/schemas/event.ts'
import type { JobState } from '#shared/schemas/job.ts'
import type { AppPorts } from '../ports/edge-ports.ts'
import { checkOutcome } from './outcome.ts'

/** With the longest of paths and keys, a page is half of what a message carries. */
const OWNERS_PAGE = 1000

type Ports = Pick<AppPorts, 'registry' | 'bus'>

/**
 * Answers one of a worker's questions to the registry. `workspace` comes from the subject, and `machine`, the public key of
 * who asks, from the signature; the message itself is not believed about either. What goes by a job's fence is for the machine
 * that has claimed it under that one. Rejects where the question cannot be read or the registry fails: then no answer is
 * sent, and the worker asks again.
 */
export type RegistryService = (
  workspace: WorkspaceId,
  operation: RegistryOperation,
  question: Uint8Array,
  machine: string,
) => Promise<Uint8Array>

export function createRegistryService({ registry, bus }: Ports): RegistryService {
  const announce = (workspace: WorkspaceId, jobId: string, state: JobState, agentId: string | null) =>
    bus.announce(workspace, jobChanged(jobId, state, agentId))

  const announceAgent = (workspace: WorkspaceId, agent_id: string, change: 'created' | 'deleted') =>
    bus.announce(workspace, { v: WIRE_VERSION, type: 'agent_changed', agent_id, change })

  /** Whether this machine has the job under this fence, or had when it ended. No two claims have one fence, so it stays true. */
  const isClaimant = async (workspace: WorkspaceId, job: JobId, fence: number, machine: string): Promise<boolean> =>
    (await registry.findClaimant(workspace, job, fence)) === machine

  const operations: Record<
    RegistryOperation,
    (workspace: WorkspaceId, question: Uint8Array, machine: string) => Promise<unknown>
  > = {
    async claim_job(workspace, bytes, machine): Promise<ClaimJobReply> {
      const { job_id } = decodeMessage('a claim', ClaimJob, bytes)
      const reply = await registry.claimJob(workspace, job_id, machine)
      if (reply.claim === 'run') announce(workspace, job_id, 'running', reply.agent?.agent_id ?? null)
      return reply
    },

    async finish_job(workspace, bytes, machine): Promise<FinishJobReply> {
      const { job_id, fence, outcome } = decodeMessage('an outcome', FinishJob, bytes)
      if (!(await isClaimant(workspace, job_id, fence, machine))) return { v: WIRE_VERSION, accepted: false }
      const job = await registry.getJob(workspace, job_id).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'not_found') return null
        throw error
      })
      if (job === null) return { v: WIRE_VERSION, accepted: false }
      const checked = checkOutcome(job.job.tool, outcome)
      const accepted = await registry.finishJob(workspace, job_id, fence, checked)
      if (accepted) announce(workspace, job_id, checked.state, job.job.agent_id)
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

    async list_owners(workspace, bytes): Promise<ListOwnersReply> {
      const { after } = decodeMessage('a question for agents and their files', ListOwners, bytes)
      const agents = await registry.listOwners(workspace, after, OWNERS_PAGE)
      return { v: WIRE_VERSION, agents: [...agents], more: agents.length === OWNERS_PAGE }
    },

    async take_agent(workspace, bytes, machine): Promise<TakeAgentReply> {
      const { job_id, fence, agent, keep } = decodeMessage('a request for an agent', TakeAgent, bytes)
      try {
        if (!(await isClaimant(workspace, job_id, fence, machine))) {
          throw new AppError('conflict', `Cannot take an agent for job "${job_id}": it does not run under this claim`)
        }
        const taken = await registry.takeAgent(workspace, { job_id, fence, agent: { ...agent, model: null }, keep })
        if (taken.made) announceAgent(workspace, taken.agent.agent_id, 'created')
        const { agent_id, managed_file, system_prompt, model } = taken.agent
        const acting = { agent_id, managed_file, system_prompt, model }
        return { v: WIRE_VERSION, ok: true, agent: acting, made: taken.made }
      } catch (error) {
        // A store that fails is asked again; what it refuses is an answer.
        if (!(error instanceof AppError) || error.code === 'unavailable') throw error
        return { v: WIRE_VERSION, ok: false, error: error.toWire() }
      }
    },

    async release_agent(workspace, bytes, machine): Promise<ReleaseAgentReply> {
      const { v: _version, ...request } = decodeMessage('an agent that is given back', ReleaseAgent, bytes)
      const { job_id, fence } = request
      if (!(await isClaimant(workspace, job_id, fence, machine))) return { v: WIRE_VERSION, released: false }
      const removed = await registry.releaseAgent(workspace, request)
      for (const job of removed?.running ?? []) bus.requestCancel(workspace, job)
      for (const job of removed?.cancelled ?? []) announce(workspace, job, 'cancelled', request.agent_id)
      if (removed !== null) announceAgent(workspace, request.agent_id, 'deleted')
      return { v: WIRE_VERSION, released: removed !== null }
    },
  }

  return async (workspace, operation, question, machine) => {
    const reply = await operations[operation](workspace, question, machine)
    return encodeMessage("the registry's reply", reply, MESSAGE_BYTES_MAX)
  }
}
