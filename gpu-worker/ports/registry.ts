import type { JobId } from '#shared/ids.ts'
import type { ClaimJobReply } from '#shared/protocol/envelope.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'

/** A job as its worker runs it. */
export interface RunningJob {
  readonly job_id: JobId
  readonly fence: number
}

/** The registry as the worker sees it: over the wire, at any edge process. Rejects with `unavailable` when none answers. */
export interface Registry {
  claimJob(job: JobId, workerId: string): Promise<ClaimJobReply>
  /** Safe to repeat. False where somebody else's outcome stands. */
  finishJob(job: JobId, fence: number, outcome: JobOutcome): Promise<boolean>
  /** Those of the jobs that this worker runs under these fences which it need not go on with. */
  findOver(jobs: readonly RunningJob[]): Promise<readonly JobId[]>
  /** File key to agent id, for those that have an owner. */
  findOwners(fileKeys: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Every agent with its file, as the registry has them, in the order of their ids. */
  listOwners(): AsyncIterable<AgentFile>
}

/** An agent and its file as it was when the agent was given it; see ResolvedFile for path and key. */
export interface AgentFile {
  readonly agentId: string
  readonly path: string
  readonly key: string
}
