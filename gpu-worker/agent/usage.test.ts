import { describe, expect, it } from 'vitest'
import type { Usage } from '#shared/schemas/job.ts'
import { sumUsage } from './usage.ts'

const usage = (completion_tokens: number, tokens_per_second: number | null, time_to_first_token_ms: number): Usage => ({
  prompt_tokens: 100,
  cached_prompt_tokens: 40,
  completion_tokens,
  queue_ms: 3,
  time_to_first_token_ms,
  tokens_per_second,
  model: 'm',
})

describe('sumUsage', () => {
  it('adds tokens and waits, keeps the first first token, and averages speed over tokens', () => {
    expect(sumUsage([usage(10, 10, 5), usage(90, 30, 7)], 'm')).toEqual({
      prompt_tokens: 200,
      cached_prompt_tokens: 80,
      completion_tokens: 100,
      queue_ms: 6,
      time_to_first_token_ms: 5,
      tokens_per_second: 25,
      model: 'm',
    })
  })

  it('knows no speed where there was none', () => {
    expect(sumUsage([], 'm')).toMatchObject({ prompt_tokens: 0, time_to_first_token_ms: null, tokens_per_second: null })
    expect(sumUsage([usage(10, null, 5)], 'm').tokens_per_second).toBeNull()
  })
})
