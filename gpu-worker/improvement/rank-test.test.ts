import { describe, expect, it } from 'vitest'
import { chanceOfLower, median } from './rank-test.ts'

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at)

describe('chanceOfLower', () => {
  // Critical values of the one-sided test at 0.01, as tables of the Mann-Whitney U have them.
  it.each([
    { size: 5, critical: 1 },
    { size: 6, critical: 3 },
    { size: 7, critical: 6 },
    { size: 8, critical: 9 },
    { size: 9, critical: 14 },
    { size: 10, critical: 19 },
  ])('agrees with the published table for $size values on each side', ({ size, critical }) => {
    expect(chanceOfLower(...withPairs(size, critical))).toBeLessThanOrEqual(0.01)
    expect(chanceOfLower(...withPairs(size, critical + 1))).toBeGreaterThan(0.01)
  })

  it('is one of all arrangements where every value is lower', () => {
    expect(chanceOfLower(range(100, 5), range(0, 5))).toBeCloseTo(1 / 252, 12)
    expect(chanceOfLower(range(100, 3), range(0, 4))).toBeCloseTo(1 / 35, 12)
  })

  it('is certain where every value is higher, or nothing was measured', () => {
    expect(chanceOfLower(range(0, 6), range(100, 6))).toBe(1)
    expect(chanceOfLower([], [1])).toBe(1)
  })

  it('takes equal times for no change', () => {
    expect(chanceOfLower([5, 5, 5, 5, 5, 5], [5, 5, 5, 5, 5, 5])).toBeGreaterThan(0.4)
  })

  it('counts one disturbed run as one rank, however long it took', () => {
    const before = range(100, 9)
    expect(chanceOfLower(before, [...range(0, 8), 1e9])).toBeLessThan(0.01)
  })
})

/** Two rows of values in which `pairs` pairs have the later one higher. */
function withPairs(size: number, pairs: number): [number[], number[]] {
  const before = range(0, size).map((each) => each * 2 + 1)
  const after: number[] = []
  let left = pairs
  for (let at = 0; at < size; at++) {
    const higher = Math.min(size, left)
    left -= higher
    after.push(higher * 2)
  }
  return [before, after]
}

describe('median', () => {
  it('is the middle value, or the mean of the two', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBe(0)
  })
})
