import { describe, expect, it } from 'vitest'
import { BatchCost } from './batch-cost.ts'
import { DraftPace } from './draft-pace.ts'

/** Batches take `batchMs` for one token, and `share` of that more for each further one. */
function createPace(batchMs: number, share: number, answers = 1): DraftPace {
  const cost = new BatchCost(share)
  cost.record(answers, batchMs * (1 + share * (answers - 1)))
  return new DraftPace(cost, () => answers)
}

/** Rounds of guesses, of which so many are right; what was chosen each time. */
function guess(
  pace: DraftPace,
  rounds: number,
  { msPerGuess, right }: { msPerGuess: number; right: number },
): number[] {
  return Array.from({ length: rounds }, () => {
    const guessed = pace.choose()
    if (guessed > 0) pace.measured(msPerGuess)
    const accepted = Math.min(guessed, right)
    pace.wrote(accepted + 1, guessed === 0 ? null : { guessed, right: accepted })
    return guessed
  })
}

describe('the pace of a draft model', () => {
  it('guesses much where guesses are cheap and right', () => {
    const pace = createPace(20, 0.1)
    expect(guess(pace, 1, { msPerGuess: 1, right: 7 })).toEqual([3])
    expect(guess(pace, 20, { msPerGuess: 1, right: 7 }).at(-1)).toBe(7)
    expect(pace.isPaused).toBe(false)
  })

  it('stops where a guess takes as long as a token of the answer, and tries again ever more seldom', () => {
    const pace = createPace(20, 0.4)
    const chosen = guess(pace, 3000, { msPerGuess: 20, right: 7 })
    const trials = chosen.flatMap((count, at) => (count > 0 ? [at] : []))
    expect(chosen.every((count) => count === 0 || count === 3)).toBe(true)
    expect(trials.length).toBeGreaterThan(3)
    expect(trials.length).toBeLessThan(9)
    const gaps = trials.slice(1).map((at, index) => at - (trials[index] ?? 0))
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps)
  })

  it('stops where the guesses are wrong, however cheap', () => {
    const pace = createPace(20, 0.4)
    expect(guess(pace, 60, { msPerGuess: 1, right: 0 }).at(-1)).toBe(0)
    expect(pace.isPaused).toBe(true)
  })

  it('comes back when they have begun to pay', () => {
    const pace = createPace(20, 0.1)
    guess(pace, 200, { msPerGuess: 40, right: 7 })
    expect(pace.isPaused).toBe(true)
    expect(guess(pace, 400, { msPerGuess: 1, right: 7 }).at(-1)).toBe(7)
  })

  it('guesses nothing before a batch without guesses was seen', () => {
    expect(new DraftPace(new BatchCost(0.1), () => 1).choose()).toBe(0)
  })
})
