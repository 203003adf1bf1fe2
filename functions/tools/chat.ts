import { AppError } from '#shared/errors.ts'
import type { ChatJobArgs, Proposal } from '#shared/protocol/chat-job.ts'
import { WAIT_SECONDS_DEFAULT } from '#shared/protocol/limits.ts'
import type { Agent } from '#shared/schemas/agent.ts'
import { isFinal } from '#shared/schemas/job.ts'
import type { chatWithAgent } from '#shared/tools/agents.ts'
import type { ToolInput, ToolOutput } from '#shared/tools/define-tool.ts'
import { toChatOutcome, toProposal } from '../jobs/outcome.ts'
import { cancelJob, noSuchProposal, submitJob } from '../jobs/submit.ts'
import { waitForJob } from '../jobs/wait.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { JobRecord } from '../ports/registry.ts'
import { isWorkerConnected } from './ask-worker.ts'
import type { EdgeHandlers } from './call-context.ts'

type ChatInput = ToolInput<typeof chatWithAgent>
type ChatOutput = ToolOutput<typeof chatWithAgent>

const NO_WORKER = 'No worker is connected: the job starts as soon as one is (npm run worker)'

export function createChatTools(ports: EdgePorts): EdgeHandlers<'chat_with_agent'> {
  return {
    async chat_with_agent(input, context) {
      const agent = await ports.registry.getAgent(ports.workspace, input.agent_id)
      if (input.accept !== undefined && input.revert !== undefined) {
        throw new AppError('invalid_input', 'Cannot start the job: it takes accept or revert, not both')
      }
      if (input.revert !== undefined) await requireOwnJob(ports, agent, input.revert)
      const proposal = input.accept === undefined ? null : await findProposal(ports, agent, input.accept)
      const { wait_seconds, idempotency_key, ...identity } = input
      const args: ChatJobArgs = proposal === null ? input : { ...input, proposal }
      const submitted = await submitJob(ports, {
        tool: 'chat_with_agent',
        agent: agent.agent_id,
        caller: context.caller,
        args,
        identity,
        idempotencyKey: idempotency_key ?? null,
        // Who gives a key means to ask again: the job outlives the call.
        callKey: idempotency_key === undefined ? context.callKey : null,
        accepts: input.accept ?? null,
      })
      const job = submitted.job.job_id
      if (isFinal(submitted.job.state)) return toAnswer(submitted)
      try {
        if (!(await isWorkerConnected(ports, context))) {
          const record = await ports.registry.getJob(ports.workspace, job)
          return isFinal(record.job.state) ? toAnswer(record) : { ...toAnswer(record), note: NO_WORKER }
        }
        const timeoutMs = (wait_seconds ?? WAIT_SECONDS_DEFAULT) * 1000
        const record = await waitForJob(ports, job, {
          timeoutMs,
          signal: context.signal,
          onProgress: context.onProgress,
        })
        return isFinal(record.job.state)
          ? toAnswer(record)
          : { ...toAnswer(record), progress: ports.bus.progress(ports.workspace, job) }
      } catch (error) {
        if (context.signal.aborted && idempotency_key === undefined) await cancelJob(ports, job)
        throw error
      }
    },
  }
}

/** The proposal that `accept` names. `not_found` unless this agent made it; whether it still fits the file is the worker's to say. */
async function findProposal(
  ports: EdgePorts,
  agent: Agent,
  accept: NonNullable<ChatInput['accept']>,
): Promise<Proposal> {
  const record = await ports.registry.getJob(ports.workspace, accept).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') throw noSuchProposal(accept, agent.agent_id)
    throw error
  })
  const proposal = toProposal(record.result)
  if (proposal === null || record.job.agent_id !== agent.agent_id) throw noSuchProposal(accept, agent.agent_id)
  return proposal
}

/** Refuses with `not_found` a job that is not this agent's. Whether it wrote anything is the worker's to say. */
async function requireOwnJob(ports: EdgePorts, agent: Agent, job: NonNullable<ChatInput['revert']>): Promise<void> {
  const record = await ports.registry.getJob(ports.workspace, job)
  if (record.job.agent_id === agent.agent_id) return
  throw new AppError('not_found', `Cannot take back "${job}": agent "${agent.agent_id}" has no such job`, {
    hint: 'Ask list_jobs for the jobs of the agent',
  })
}

/** An ended job as the tool's own answer or refusal; a live one as where it stands. */
function toAnswer({ job, result }: JobRecord): ChatOutput {
  if (job.error !== null) {
    throw AppError.fromWire({ ...job.error, details: { ...job.error.details, job_id: job.job_id } })
  }
  const outcome = result === null ? {} : toChatOutcome(result)
  return { job_id: job.job_id, state: job.state, ...outcome }
}
