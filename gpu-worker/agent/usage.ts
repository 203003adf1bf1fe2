import type { Usage } from '#shared/schemas/job.ts'

/** What several rounds cost together: tokens and waits add up, speed is that of all answer tokens, and the first token came once. */
export function sumUsage(rounds: readonly Usage[], model: string): Usage {
  const timed = rounds.filter(({ tokens_per_second }) => tokens_per_second !== null && tokens_per_second > 0)
  const tokens = timed.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0)
  const seconds = timed.reduce((sum, usage) => sum + usage.completion_tokens / (usage.tokens_per_second ?? 1), 0)
  return {
    prompt_tokens: rounds.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0),
    cached_prompt_tokens: rounds.reduce((sum, { cached_prompt_tokens }) => sum + cached_prompt_tokens, 0),
    completion_tokens: rounds.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0),
    queue_ms: Math.round(rounds.reduce((sum, { queue_ms }) => sum + queue_ms, 0)),
    time_to_first_token_ms: roundOff(rounds[0]?.time_to_first_token_ms ?? null, 0),
    tokens_per_second: roundOff(seconds > 0 ? tokens / seconds : null, 1),
    model: rounds.at(-1)?.model ?? model,
  }
}

const roundOff = (value: number | null, digits: number): number | null =>
  value === null ? null : Number(value.toFixed(digits))
