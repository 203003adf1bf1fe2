import { AppError } from '#shared/errors.ts'
import { type AgentId, createJobId, type JobId } from '#shared/ids.ts'
import type { Caller } from '#shared/protocol/envelope.ts'
import { jobChanged } from '#shared/schemas/event.ts'
import { isFinal } from '#shared/schemas/job.ts'
import { sha256Hex } from '../crypto.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { JobRecord } from '../ports/registry.ts'

export interface JobRequest {
  readonly tool: string
  /** Null for a job of no agent. */
  readonly agent: AgentId | null
  readonly caller: Caller
  /** What the worker is given. */
  readonly args: Record<string, unknown>
  /** What makes two requests the same: with one idempotency key they are one job. */
  readonly identity: Record<string, unknown>
  readonly idempotencyKey: string | null
  readonly callKey: string | null
  readonly accepts: JobId | null
  /** How long it may take, the wait in the queue included. */
  readonly deadlineMs: number
}

/**
 * Makes a job: the row first, then the message. Safe to repeat with an idempotency key. Rejects with `busy` (queue full)
 * or `unavailable` (no bus) and then leaves nothing behind; with `conflict` and `not_found` as the registry does.
 */
export async function submitJob(ports: EdgePorts, request: JobRequest): Promise<JobRecord> {
  const { registry, bus, workspace, clock } = ports
  const now = clock.now()
  const { record, created } = await registry.createJob(workspace, {
    job_id: createJobId(now),
    tool: request.tool,
    agent_id: request.agent,
    caller: request.caller,
    args: request.args,
    params_hash: await sha256Hex(canonicalJson({ tool: request.tool, ...request.identity })),
    idempotency_key: request.idempotencyKey,
    call_key: request.callKey,
    accepts: request.accepts,
    deadline: now + request.deadlineMs,
  })
  if (!created || isFinal(record.job.state)) return record
  const job = record.job.job_id
  try {
    await bus.publish(workspace, job, 1)
  } catch (error) {
    // The message may have arrived although its confirmation did not: then a worker can have the job already, and it
    // stays. A message without a row is dropped by whoever takes it.
    if (await registry.withdrawJob(workspace, job)) throw error
    return registry.getJob(workspace, job)
  }
  await registry.markPublished(workspace, job)
  bus.announce(workspace, jobChanged(job, 'queued', request.agent))
  return record
}

/** Ends a job, or asks its worker to. `not_found`. */
export async function cancelJob(
  ports: EdgePorts,
  job: JobId,
): Promise<Awaited<ReturnType<EdgePorts['registry']['cancelJob']>>> {
  const cancelled = await ports.registry.cancelJob(ports.workspace, job)
  tellCancelled(ports, cancelled)
  return cancelled
}

/** Cancels the job of the call that a client names by request id, if there is one that still runs. */
export async function cancelCall(ports: EdgePorts, callKey: string): Promise<void> {
  const cancelled = await ports.registry.cancelCall(ports.workspace, callKey)
  if (cancelled !== null) tellCancelled(ports, cancelled)
}

function tellCancelled({ bus, workspace }: EdgePorts, cancelled: { job_id: JobId; state: string }): void {
  if (cancelled.state === 'running') bus.requestCancel(workspace, cancelled.job_id)
  if (cancelled.state === 'cancelled') {
    bus.announce(workspace, jobChanged(cancelled.job_id, 'cancelled'))
  }
}

/** The same text for the same value, whatever the order in which its keys came. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  )
}

export const noSuchProposal = (accept: string, agent: string): AppError =>
  new AppError('not_found', `Cannot accept "${accept}": agent "${agent}" has made no such proposal`, {
    hint: 'Pass proposal_id of a chat_with_agent result with mode propose',
  })
