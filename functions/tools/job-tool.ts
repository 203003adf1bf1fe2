import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { AgentId, type JobId } from '#shared/ids.ts'
import { JOB_DEADLINE_MS, WAIT_SECONDS_DEFAULT } from '#shared/protocol/limits.ts'
import { isFinal, withoutTail } from '#shared/schemas/job.ts'
import type { JobToolDeclaration } from '#shared/tools/job-tool.ts'
import { toPublicResult } from '../jobs/outcome.ts'
import { cancelJob, submitJob } from '../jobs/submit.ts'
import { waitForJob } from '../jobs/wait.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { JobRecord } from '../ports/registry.ts'
import { isWorkerConnected } from './ask-worker.ts'
import type { CallContext } from './call-context.ts'

const NO_WORKER = 'No worker is connected: the job starts as soon as one is (npm run worker)'

/** What the caller of a job tool says beside the task itself. */
export interface JobCall {
  readonly wait_seconds?: number | undefined
  readonly idempotency_key?: string | undefined
}

export interface JobTask {
  readonly agent: AgentId | null
  /** What the worker is given. */
  readonly args: Record<string, unknown>
  /** What makes two calls the same task. */
  readonly identity: Record<string, unknown>
  readonly accepts: JobId | null
}

/** Makes a call of a job tool a job: for the agent that its arguments name (`not_found` without one), or for none. */
export async function callJobTool(
  ports: EdgePorts,
  tool: JobToolDeclaration,
  input: Record<string, unknown>,
  context: CallContext,
): Promise<Record<string, unknown>> {
  const agentId = v.safeParse(AgentId, input.agent_id)
  const agent = agentId.success ? (await ports.registry.getAgent(ports.workspace, agentId.output)).agent_id : null
  const { wait_seconds: _wait, idempotency_key: _key, ...identity } = input
  return runJobTool(ports, tool, { agent, args: input, identity, accepts: null }, input, context)
}

/**
 * Submits the job and waits for it as the caller asked. Resolves with its outcome, or with where it stands. Rejects with
 * the refusal that the job ended with. A caller that gave no idempotency key and goes away takes the job with it.
 */
export async function runJobTool(
  ports: EdgePorts,
  tool: JobToolDeclaration,
  task: JobTask,
  call: JobCall,
  context: CallContext,
): Promise<Record<string, unknown>> {
  const { wait_seconds, idempotency_key } = call
  const submitted = await submitJob(ports, {
    ...task,
    tool: tool.name,
    caller: context.caller,
    idempotencyKey: idempotency_key ?? null,
    // Who gives a key means to ask again: the job outlives the call.
    callKey: idempotency_key === undefined ? context.callKey : null,
    deadlineMs: tool.deadlineMs?.(task.args) ?? JOB_DEADLINE_MS,
  })
  const job = submitted.job.job_id
  if (isFinal(submitted.job.state)) return toAnswer(submitted)
  try {
    if (!(await isWorkerConnected(ports, context))) {
      const record = await ports.registry.getJob(ports.workspace, job)
      return isFinal(record.job.state) ? toAnswer(record) : { ...toAnswer(record), note: NO_WORKER }
    }
    const record = await waitForJob(ports, job, {
      timeoutMs: (wait_seconds ?? WAIT_SECONDS_DEFAULT) * 1000,
      signal: context.signal,
      onProgress: context.onProgress,
    })
    return isFinal(record.job.state)
      ? toAnswer(record)
      : { ...toAnswer(record), progress: withoutTail(await ports.bus.progress(ports.workspace, job)) }
  } catch (error) {
    if (context.signal.aborted && idempotency_key === undefined) await cancelJob(ports, job)
    throw error
  }
}

/** An ended job as the tool's own answer or refusal; a live one as where it stands. */
function toAnswer({ job, result }: JobRecord): Record<string, unknown> {
  if (job.error !== null) {
    throw AppError.fromWire({ ...job.error, details: { ...job.error.details, job_id: job.job_id } })
  }
  const outcome = result === null ? {} : toPublicResult(job.tool, result)
  return { ...outcome, job_id: job.job_id, state: job.state }
}
