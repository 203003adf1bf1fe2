import { describe, expect, it } from 'vitest'
import { addStep, type Step } from './follow-job.ts'

const step = (phase: 'reading' | 'generating' | 'checking', round = 1, tokens = 0) => ({
  phase,
  round,
  tokens,
  message: phase,
})

describe('addStep', () => {
  it('keeps one step for each phase and round, as it was last heard of', () => {
    const news = [
      step('reading'),
      step('generating', 1, 1),
      step('generating', 1, 9),
      step('checking'),
      step('generating', 2, 3),
    ]
    let steps: readonly Step[] = []
    for (const next of news) steps = addStep(steps, next)
    expect(steps).toEqual([
      { ...step('reading'), id: 1 },
      { ...step('generating', 1, 9), id: 2 },
      { ...step('checking'), id: 3 },
      { ...step('generating', 2, 3), id: 4 },
    ])
  })
})
