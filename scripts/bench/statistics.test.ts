import { describe, expect, it } from 'vitest'
import { median, medianRatio, percentile } from './statistics.ts'

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  it('takes the sample that the share of all samples do not exceed, whatever their order', () => {
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
  })

  it('is the only sample of one', () => {
    expect([0, 0.5, 0.99, 1].map((share) => percentile([7], share))).toEqual([7, 7, 7, 7])
  })

  it('sorts as numbers, not as text', () => {
    expect(median([10, 9, 100])).toBe(10)
  })

  it('refuses an empty set', () => {
    expect(() => percentile([], 0.5)).toThrow('no samples')
  })
})

describe('medianRatio', () => {
  it('compares round by round, so that a slow round for both changes nothing', () => {
    expect(medianRatio([2, 200, 2], [1, 100, 1])).toBe(2)
  })

  it('refuses unequal numbers of rounds', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow('2 rounds with 1')
  })
})
