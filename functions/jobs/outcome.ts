import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { ChatJobResult, type Proposal } from '#shared/protocol/chat-job.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'
import { ChatOutcome, chatWithAgent } from '#shared/tools/agents.ts'
import { findJobTool } from '#shared/tools/catalogue.ts'

/** The public part of what a chat job ends with. Drops the proposal that lies beside it. */
const PublicChatOutcome = v.object(ChatOutcome.entries)

/** A stored result as callers may see it. Rejects a chat result that is not of its shape. */
export function toPublicResult(tool: string, result: Record<string, unknown>): Record<string, unknown> {
  return tool === chatWithAgent.name ? v.parse(PublicChatOutcome, result) : result
}

/** The proposal that a stored chat result carries, or null. */
export function toProposal(result: Record<string, unknown> | null): Proposal | null {
  const parsed = v.safeParse(ChatJobResult, result)
  return parsed.success ? (parsed.output.proposal ?? null) : null
}

/** An outcome that a worker reports, made safe to store: a result of another shape is a failure of the worker. */
export function checkOutcome(tool: string, outcome: JobOutcome): JobOutcome {
  if (outcome.state !== 'succeeded') return outcome
  const schema = tool === chatWithAgent.name ? ChatJobResult : findJobTool(tool)?.outcome
  if (schema !== undefined && v.is(schema, outcome.result)) return outcome
  const error = new AppError('internal', 'Cannot keep the result: the worker reported one of another shape')
  return { state: 'failed', error: error.toWire() }
}
