import { AppError } from '#shared/errors.ts'
import type { ChatJobArgs, Proposal } from '#shared/protocol/chat-job.ts'
import type { Agent } from '#shared/schemas/agent.ts'
import { chatWithAgent } from '#shared/tools/agents.ts'
import type { ToolInput, ToolOutput } from '#shared/tools/define-tool.ts'
import type { JobToolDeclaration } from '#shared/tools/job-tool.ts'
import { toProposal } from '../jobs/outcome.ts'
import { noSuchProposal } from '../jobs/submit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { EdgeHandlers } from './call-context.ts'
import { runJobTool } from './job-tool.ts'

type ChatInput = ToolInput<typeof chatWithAgent>
type ChatOutput = ToolOutput<typeof chatWithAgent>

export function createChatTools(ports: EdgePorts): EdgeHandlers<'chat_with_agent'> {
  return {
    async chat_with_agent(input, context) {
      const agent = await ports.registry.getAgent(ports.workspace, input.agent_id)
      if (input.accept !== undefined && input.revert !== undefined) {
        throw new AppError('invalid_input', 'Cannot start the job: it takes accept or revert, not both')
      }
      if (input.revert !== undefined) await requireOwnJob(ports, agent, input.revert)
      const proposal = input.accept === undefined ? null : await findProposal(ports, agent, input.accept)
      const { wait_seconds: _wait, idempotency_key: _key, ...identity } = input
      const args: ChatJobArgs = proposal === null ? input : { ...input, proposal }
      const task = { agent: agent.agent_id, args, identity, accepts: input.accept ?? null }
      const answer = await runJobTool(ports, chatWithAgent as unknown as JobToolDeclaration, task, input, context)
      return answer as ChatOutput
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
