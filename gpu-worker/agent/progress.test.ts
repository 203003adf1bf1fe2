import { describe, expect, it } from 'vitest'
import { PROGRESS_INTERVAL_MS } from '#shared/protocol/limits.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { createProgressReporter } from './progress.ts'

describe('createProgressReporter', () => {
  it('tells of a phase at once, and within it once per interval', () => {
    let now = 0
    const told: JobProgress[] = []
    const reporter = createProgressReporter(
      'a.py',
      (progress) => told.push(progress),
      () => now,
    )
    const generating = (tokens: number) =>
      reporter.model({ phase: 'generating', tokens, promptTokens: 5, promptTokensTotal: 5, tail: 'x = 1' }, 1)
    reporter.phase('reading', 1)
    generating(1)
    generating(2)
    now += PROGRESS_INTERVAL_MS
    generating(30)
    reporter.phase('checking', 1)
    expect(told).toEqual([
      { phase: 'reading', round: 1, tokens: 0, message: 'Reading a.py' },
      { phase: 'generating', round: 1, tokens: 1, message: 'Writing a.py: 1 tokens', answer_tail: 'x = 1' },
      { phase: 'generating', round: 1, tokens: 30, message: 'Writing a.py: 30 tokens', answer_tail: 'x = 1' },
      { phase: 'checking', round: 1, tokens: 0, message: 'Checking a.py' },
    ])
  })
})
