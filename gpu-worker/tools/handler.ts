import type * as v from 'valibot'
import type { JobId } from '#shared/ids.ts'
import type { Caller } from '#shared/protocol/envelope.ts'
import type { ActingAgent, EarlierTask } from '#shared/schemas/agent.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { ToolByName, ToolName } from '#shared/tools/catalogue.ts'
import type { ToolInput, ToolOutput } from '#shared/tools/define-tool.ts'

/** Who asks, and how the work is watched and stopped. */
export interface ToolContext {
  readonly caller: Caller
  /** The record of the agent that the arguments name, as the registry has it; null where they name none. */
  readonly agent: ActingAgent | null
  /** Aborts at the deadline, on cancel and when the worker stops. */
  readonly signal: AbortSignal
  /** When a short call must have answered, in ms since the epoch; left out for jobs, which have time. */
  readonly deadline?: number
}

export interface JobContext extends ToolContext {
  readonly jobId: JobId
  /** Of this claim of the job: proves to the registry that the job is still this worker's. */
  readonly fence: number
  /** The agent's earlier tasks, oldest first. */
  readonly history: readonly EarlierTask[]
  readonly onProgress: (progress: JobProgress) => void
}

/** Serves one worker tool. Rejects with AppError for a refusal; anything else is our bug. */
export type ToolHandler<Name extends ToolName> = (
  input: ToolInput<ToolByName<Name>>,
  context: ToolContext,
) => Promise<ToolOutput<ToolByName<Name>>>

/** The tools that the catalogue gives to the worker as short calls. */
export type WorkerToolName = Extract<
  { [Name in ToolName]: ToolByName<Name> extends { place: 'worker' } ? Name : never }[ToolName],
  string
>

/** The tools that the catalogue gives to the worker as jobs. A chat job's arguments are more than the tool's own. */
export type JobToolName = Exclude<
  { [Name in ToolName]: ToolByName<Name> extends { place: 'job' } ? Name : never }[ToolName],
  'chat_with_agent'
>

/** Does the work of one job tool. Rejects with AppError for a refusal; anything else is our bug. */
export type JobHandler<Name extends JobToolName> = (
  input: ToolInput<ToolByName<Name>>,
  context: JobContext,
) => Promise<JobOutcomeOf<ToolByName<Name>>>

type JobOutcomeOf<Tool> = Tool extends { outcome: infer Outcome extends v.GenericSchema }
  ? v.InferOutput<Outcome>
  : never

export type JobHandlers<Names extends JobToolName> = { readonly [Name in Names]: JobHandler<Name> }

export type ToolHandlers<Names extends ToolName> = { readonly [Name in Names]: ToolHandler<Name> }
