import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { ChatJobResult, type Proposal } from '#shared/protocol/chat-job.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'
import { ChatOutcome } from '#shared/tools/agents.ts'

/** The public part of what a chat job ends with. Drops the proposal that lies beside it. */
const PublicChatOutcome = v.object(ChatOutcome.entries)

/** A stored result as callers may see it. Rejects a result that is not of the tool's shape. */
export function toPublicResult(tool: string, result: Record<string, unknown>): Record<string, unknown> {
  return tool === 'chat_with_agent' ? toChatOutcome(result) : result
}

export function toChatOutcome(result: Record<string, unknown>): ChatOutcome {
  return v.parse(PublicChatOutcome, result)
}

/** The proposal that a stored chat result carries, or null. */
export function toProposal(result: Record<string, unknown> | null): Proposal | null {
  const parsed = v.safeParse(ChatJobResult, result)
  return parsed.success ? (parsed.output.proposal ?? null) : null
}

/** An outcome that a worker reports, made safe to store: a result of another shape is a failure of the worker. */
export function checkOutcome(tool: string, outcome: JobOutcome): JobOutcome {
  if (outcome.state !== 'succeeded' || tool !== 'chat_with_agent') return outcome
  if (v.is(ChatJobResult, outcome.result)) return outcome
  const error = new AppError('internal', 'Cannot keep the result: the worker reported one of another shape')
  return { state: 'failed', error: error.toWire() }
}
