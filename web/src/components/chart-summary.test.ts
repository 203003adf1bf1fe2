import { describe, expect, it } from 'vitest'
import { chartSummary } from './chart-summary.ts'

const format = (value: number): string => `${value} s`

describe('chartSummary', () => {
  it('says the last value of each line and its bounds, without what is not known', () => {
    const series = [
      { name: 'first', values: [3, null, 1, 2] },
      { name: 'second', values: [null, null, null, null] },
    ]
    const said = chartSummary('Times', [0, 1000, 2000, 3000], series, format)
    expect(said).toMatch(/^Times, 4 times from .* to .*: first 2 s at last, from 1 s to 3 s$/)
  })

  it('says that there is nothing', () => {
    expect(chartSummary('Times', [], [{ name: 'first', values: [] }], format)).toBe('Times: nothing yet')
  })
})
