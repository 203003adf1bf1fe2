import type { ChatOutcome } from '#shared/tools/agents.ts'
import type { Landed } from './land.ts'

/** What a chat job ends with that wrote without asking a model: a proposal that was accepted, a write that was taken back. */
export function unmodelledOutcome(
  reply: string,
  landed: Omit<Landed, 'sha256'> & { sha256: string | null },
): ChatOutcome {
  return {
    reply,
    changed: landed.changed,
    diff: landed.diff,
    diff_truncated: landed.diffTruncated,
    checks: landed.checks,
    attempts: 0,
    usage: {
      prompt_tokens: 0,
      cached_prompt_tokens: 0,
      completion_tokens: 0,
      queue_ms: 0,
      time_to_first_token_ms: null,
      tokens_per_second: null,
      model: 'none',
    },
    proposal_id: null,
    sha256: landed.sha256,
  }
}
