import { describe, expect, it } from 'vitest'
import { BatchCost } from './batch-cost.ts'
import { chooseGuessedTokens, tokenShare } from './lookup.ts'

/** Where only batches without guesses were seen, unless more is told. */
function guessed(acceptance: number, answers: number, cost = new BatchCost(tokenShare(false))): number {
  if (!cost.knows(answers)) cost.record(answers, cost.of(answers))
  return chooseGuessedTokens({ acceptance, answers, cost })
}

describe('the number of guessed tokens', () => {
  it('grows with how likely they are right, and is none where they are hardly ever', () => {
    expect(guessed(0.99, 1)).toBe(15)
    expect(guessed(0.85, 1)).toBe(3)
    expect(guessed(0.5, 1)).toBe(0)
    expect(guessed(0, 1)).toBe(0)
  })

  it('is none before a batch without guesses was seen', () => {
    expect(chooseGuessedTokens({ acceptance: 0.99, answers: 2, cost: new BatchCost(0.1) })).toBe(0)
  })

  it('falls with the answers that fill the batch already', () => {
    expect(guessed(0.85, 4)).toBe(0)
    expect(guessed(0.99, 8)).toBeLessThan(guessed(0.99, 1))
  })

  it('is large on a GPU, where a larger batch costs little', () => {
    expect(guessed(0.85, 4, new BatchCost(tokenShare(true)))).toBeGreaterThanOrEqual(7)
  })

  it('is none where batches have shown to be slow, until that is forgotten', () => {
    const cost = new BatchCost(tokenShare(false))
    cost.record(1, 10)
    expect(guessed(0.97, 1, cost)).toBeGreaterThan(0)
    for (const tokens of [2, 4, 8, 16]) cost.record(tokens, tokens * 12)
    expect(guessed(0.97, 1, cost)).toBeGreaterThan(0)
    for (let batch = 0; batch < 10; batch++) for (const tokens of [2, 4, 8, 16]) cost.record(tokens, tokens * 12)
    cost.record(1, 10)
    expect(guessed(0.97, 1, cost)).toBe(0)
    for (let batch = 0; batch < 201; batch++) cost.record(1, 10)
    expect(guessed(0.97, 1, cost)).toBeGreaterThan(0)
  })
})

describe('the cost of a batch', () => {
  it('is what was seen, and for other sizes in proportion to it', () => {
    const cost = new BatchCost(0.5)
    expect(cost.of(3)).toBe(2)
    cost.record(1, 20)
    expect(cost.of(1)).toBe(20)
    expect(cost.of(3)).toBe(40)
    cost.record(3, 25)
    expect([cost.of(1), cost.of(3)]).toEqual([20, 32.5])
  })

  it('follows a machine that gets faster at once, and one slow batch hardly', () => {
    const cost = new BatchCost(0.5)
    cost.record(1, 20)
    cost.record(1, 100)
    expect(cost.of(1)).toBe(36)
    cost.record(1, 10)
    expect(cost.of(1)).toBe(23)
  })
})
