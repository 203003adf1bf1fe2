import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'
import { ChatOutcome } from '#shared/tools/agents.ts'

/** What accepting a proposal needs: stored with the job that made it, never shown to callers. */
export const Proposal = v.object({
  /** Git object id of the proposed bytes. */
  blob: v.string(),
  /** SHA-256 of the file that the proposal was made against; null where there was none. */
  base_sha256: v.nullable(v.string()),
  path: v.string(),
})
export type Proposal = v.InferOutput<typeof Proposal>

/** The public part of what a chat job ends with. Drops the internal fields that lie beside it. */
const PublicChatOutcome = v.object(ChatOutcome.entries)
const ChatResult = v.object({ ...ChatOutcome.entries, proposal: v.optional(v.nullable(Proposal)) })

/** A stored result as callers may see it. Rejects a result that is not of the tool's shape. */
export function toPublicResult(tool: string, result: Record<string, unknown>): Record<string, unknown> {
  return tool === 'chat_with_agent' ? toChatOutcome(result) : result
}

export function toChatOutcome(result: Record<string, unknown>): ChatOutcome {
  return v.parse(PublicChatOutcome, result)
}

/** The proposal that a stored chat result carries, or null. */
export function toProposal(result: Record<string, unknown> | null): Proposal | null {
  const parsed = v.safeParse(ChatResult, result)
  return parsed.success ? (parsed.output.proposal ?? null) : null
}

/** An outcome that a worker reports, made safe to store: a result of another shape is a failure of the worker. */
export function checkOutcome(tool: string, outcome: JobOutcome): JobOutcome {
  if (outcome.state !== 'succeeded' || tool !== 'chat_with_agent') return outcome
  if (v.is(ChatResult, outcome.result)) return outcome
  const error = new AppError('internal', 'Cannot keep the result: the worker reported one of another shape')
  return { state: 'failed', error: error.toWire() }
}
