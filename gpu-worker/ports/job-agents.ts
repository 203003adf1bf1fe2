import type { JobId } from '#shared/ids.ts'
import type { TakeAgent } from '#shared/protocol/envelope.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'

/** A job as its worker has claimed it: a worker that has lost it to another gets and removes no agents. */
export interface ClaimedJob {
  readonly jobId: JobId
  readonly fence: number
}

/** What is made where nobody owns the file. */
export type AgentForJob = TakeAgent['agent']

/** Agents for files that a running job works on. Rejects with `unavailable` where no edge process answers. */
export interface JobAgents {
  /**
   * The agent that owns the file of `agent`, or `agent` itself, which is made then. One that was made goes with the job at the
   * latest, unless it is to be kept. Safe to repeat. `conflict` where the job does not run under this claim.
   */
  take(
    job: ClaimedJob,
    agent: AgentForJob,
    options: { readonly keep: boolean },
  ): Promise<{ readonly agent: ActingAgent; readonly made: boolean }>
  /** Removes an agent that was made for the job and is not to be kept; leaves every other as it is. */
  release(job: ClaimedJob, agentId: ActingAgent['agent_id']): Promise<void>
}
