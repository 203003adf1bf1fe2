import type { AgentId, JobId, WorkspaceId } from '#shared/ids.ts'
import type { Caller, ClaimJobReply } from '#shared/protocol/envelope.ts'
import type { Agent, AgentMessage, AgentSummary } from '#shared/schemas/agent.ts'
import type { Job, JobOutcome, JobState, UsageTotal } from '#shared/schemas/job.ts'

export interface NewAgent {
  readonly agent_id: AgentId
  readonly name: string
  readonly managed_file: string
  /** The same for all spellings of one file, as the worker computed it. */
  readonly file_key: string
  readonly system_prompt: string
  readonly model: string | null
  readonly description: string | null
}

export interface AgentChanges {
  readonly name?: string
  readonly system_prompt?: string
  readonly model?: string
  readonly file?: { readonly managed_file: string; readonly file_key: string }
}

export interface NewJob {
  readonly job_id: JobId
  readonly tool: string
  /** The job fails to start once this agent is gone; null for a job of no agent. */
  readonly agent_id: AgentId | null
  readonly caller: Caller
  /** What the worker is given. */
  readonly args: Record<string, unknown>
  /** Hash of everything that makes two submissions the same. */
  readonly params_hash: string
  readonly idempotency_key: string | null
  /** Finds the job for a client that cancels the call by its request id. */
  readonly call_key: string | null
  /** The proposal that this job writes; no two live or succeeded jobs may write the same one. */
  readonly accepts: JobId | null
  /** Epoch milliseconds. */
  readonly deadline: number
}

/** What a running job asks for: the agent of a file, made where there is none. */
export interface TakeAgent {
  readonly job_id: JobId
  /** Of the job's claim. */
  readonly fence: number
  /** What is made where nobody owns the file. */
  readonly agent: NewAgent
  /** An agent that is made stays after the job. */
  readonly keep: boolean
}

/** A job as it is stored: more than callers are shown. */
export interface JobRecord {
  readonly job: Job
  readonly args: Record<string, unknown>
  readonly cancel_requested: boolean
  /** The worker's own result, internal fields included. */
  readonly result: Record<string, unknown> | null
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly next_cursor: string | null
}

export interface CancelledJob {
  readonly job_id: JobId
  readonly state: JobState
  readonly cancel_requested: boolean
}

export interface StaleJob {
  readonly workspace: WorkspaceId
  readonly job_id: JobId
  /** Publications so far. */
  readonly attempts: number
}

/**
 * Agents, jobs and conversations of all workspaces; the one place that decides who owns a file and how a job ended.
 *
 * Every method rejects with AppError `unavailable` when the store fails. A stored agent or job that cannot be read is
 * refused with `unavailable` where it is asked for, left out of lists, and reported to the operator; it still owns its file.
 */
export interface Registry {
  /** `already_exists` (ids that differ only in case are the same), `file_already_managed`, `too_large` at AGENTS_MAX. */
  createAgent(workspace: WorkspaceId, agent: NewAgent): Promise<Agent>
  /** `not_found`. */
  getAgent(workspace: WorkspaceId, agent: AgentId): Promise<Agent>
  /** In order of id. `invalid_input` for a cursor that no page returned. `total` counts all that match. */
  listAgents(
    workspace: WorkspaceId,
    request: { query: string | null; cursor: string | null; limit: number },
  ): Promise<Page<AgentSummary> & { total: number }>
  countAgents(workspace: WorkspaceId): Promise<number>
  /** `not_found`, `file_already_managed`. */
  updateAgent(workspace: WorkspaceId, agent: AgentId, changes: AgentChanges): Promise<Agent>
  /**
   * Removes an agent and its conversation, and ends its jobs: no outcome of theirs is accepted afterwards. `not_found`.
   * Works for an agent that cannot be read; `managed_file` is null then. `running` are those that a worker must be told of.
   */
  deleteAgent(
    workspace: WorkspaceId,
    agent: AgentId,
  ): Promise<{ managed_file: string | null; cancelled: readonly JobId[]; running: readonly JobId[] }>
  /** File key to agent id, for those that have an owner. */
  findOwners(workspace: WorkspaceId, fileKeys: readonly string[]): Promise<ReadonlyMap<string, AgentId>>
  /** Agents with their files as they are stored, by id, after this one; also those whose record is damaged. */
  listOwners(
    workspace: WorkspaceId,
    after: string | null,
    limit: number,
  ): Promise<readonly { agent_id: string; managed_file: string; file_key: string }[]>
  /**
   * The agent that owns the file, or a new one that belongs to the job: it is removed when the job is over, unless it is to be
   * kept. Safe to repeat. `conflict` where the job does not run under this fence; else as `createAgent`.
   */
  takeAgent(workspace: WorkspaceId, request: TakeAgent): Promise<{ agent: Agent; made: boolean }>
  /**
   * Removes an agent that belongs to the job, as `deleteAgent` does. Null, and nothing removed, for any other agent, and where
   * the job does not run under this fence.
   */
  releaseAgent(
    workspace: WorkspaceId,
    request: { job_id: JobId; fence: number; agent_id: AgentId },
  ): Promise<{ cancelled: readonly JobId[]; running: readonly JobId[] } | null>
  /** Newest last, at most `limit`. */
  listMessages(workspace: WorkspaceId, agent: AgentId, limit: number): Promise<readonly AgentMessage[]>
  /** What the agent's ended jobs have cost. Zeros for one that there is not. */
  getUsage(workspace: WorkspaceId, agent: AgentId): Promise<UsageTotal>

  /**
   * Stores a queued job, or one that is cancelled already where its call was. With an idempotency key that the subject has used: the job of then (`created` is false), or
   * `conflict` where that one had other parameters. `not_found` without the agent; `conflict` for a proposal accepted before.
   */
  createJob(workspace: WorkspaceId, job: NewJob): Promise<{ record: JobRecord; created: boolean }>
  /** Takes back a job that never reached the queue. False where a worker has it already. */
  withdrawJob(workspace: WorkspaceId, job: JobId): Promise<boolean>
  /** `not_found`. */
  getJob(workspace: WorkspaceId, job: JobId): Promise<JobRecord>
  /** Newest first. */
  listJobs(
    workspace: WorkspaceId,
    request: { state: JobState | null; agent: AgentId | null; cursor: string | null; limit: number },
  ): Promise<Page<Job>>
  countJobs(workspace: WorkspaceId): Promise<{ queued: number; running: number }>
  /** Gives the job to a worker under a new fence, or says that it has ended, or that others of its agent come first. */
  claimJob(workspace: WorkspaceId, job: JobId, workerId: string): Promise<ClaimJobReply>
  /** Whom the last claim gave the job to, if it had this fence; else null. Stays so when the job has ended. */
  findClaimant(workspace: WorkspaceId, job: JobId, fence: number): Promise<string | null>
  /**
   * Stores how a job ended, with the conversation's two messages, if `fence` is that of the last claim and the job has not
   * ended; their cost is added to the agent's. True as well for a repeat of the outcome that stands.
   */
  finishJob(workspace: WorkspaceId, job: JobId, fence: number, outcome: JobOutcome): Promise<boolean>
  /**
   * Those of a worker's running jobs that it need not go on with: cancelled, ended, gone, or claimed under a newer fence.
   */
  findOver(
    workspace: WorkspaceId,
    jobs: readonly { readonly job_id: JobId; readonly fence: number }[],
  ): Promise<readonly JobId[]>
  /** A queued job ends at once; a running one is marked. An ended one stays as it is. `not_found`. */
  cancelJob(workspace: WorkspaceId, job: JobId): Promise<CancelledJob>
  /** The same by call key; null where no live job has it: one that is created with this key in the next minute is born cancelled. */
  cancelCall(workspace: WorkspaceId, callKey: string): Promise<CancelledJob | null>
  markPublished(workspace: WorkspaceId, job: JobId): Promise<void>
  /** Whether the store answers. */
  ping(): Promise<boolean>
}

/** What a store is repaired by, in all of its workspaces. For whoever runs beside the store; no call needs it. */
export interface RegistryUpkeep {
  /**
   * Queued jobs whose message is older than `publishedBefore` and seems lost: a later job of the workspace has been
   * started, or none is running. One that waits for an earlier job of its agent is not lost. At most `limit` of each
   * workspace, so that one whose worker is away hides no other's.
   */
  listStale(publishedBefore: number, limit: number): Promise<readonly StaleJob[]>
  /** Fails live jobs whose deadline passed more than `graceMs` ago. */
  expireJobs(graceMs: number): Promise<readonly { workspace: WorkspaceId; job_id: JobId }[]>
  /** Removes ended jobs beyond the retention; returns how many. */
  pruneJobs(): Promise<number>
  /** Whether any job has not ended: without one there is nothing to repair. */
  hasLiveJobs(): Promise<boolean>
}

/** A whole store. */
export type RegistryStore = Registry & RegistryUpkeep
