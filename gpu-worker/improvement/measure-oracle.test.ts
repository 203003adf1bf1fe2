import { describe, expect, it } from 'vitest'
import { toMeasurement } from './measure-oracle.ts'

const measure = { name: 'parse', runs: 6 }

describe('toMeasurement', () => {
  it('tells medians, extremes and by how much the median fell', () => {
    const times = { before: [100, 104, 98, 101, 99, 300], after: [80, 82, 79, 81, 78, 90] }
    expect(toMeasurement(measure, times)).toEqual({
      measure: 'parse',
      runs: 6,
      before: { median_ms: 100.5, min_ms: 98, max_ms: 300 },
      after: { median_ms: 80.5, min_ms: 78, max_ms: 90 },
      faster_percent: 19.9,
      chance: expect.closeTo(1 / 924, 12),
    })
  })

  it('leaves to chance what could be chance, whatever the medians say', () => {
    const noisy = { before: [100, 140, 90, 130, 95, 120], after: [92, 125, 85, 110, 97, 99] }
    const { faster_percent, chance } = toMeasurement(measure, noisy)
    expect(faster_percent).toBeGreaterThan(3)
    expect(chance).toBeGreaterThan(0.01)
  })

  it('has a number below nought for what takes longer', () => {
    const { faster_percent, chance } = toMeasurement(measure, { before: [10, 11, 12], after: [20, 21, 22] })
    expect(faster_percent).toBeLessThan(0)
    expect(chance).toBe(1)
  })
})
