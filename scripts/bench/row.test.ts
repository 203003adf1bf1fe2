import { describe, expect, it } from 'vitest'
import { toRow } from './row.ts'

describe('toRow', () => {
  const comparedWith = { name: 'bare', ratio: 1.30004 }

  it('has null for what there is not', () => {
    expect(toRow({ name: 'a', value: 12.34567, unit: 'ms' })).toEqual({
      name: 'a',
      value: 12.35,
      unit: 'ms',
      compared_with: null,
      ratio: null,
      target: null,
      met: null,
    })
  })

  it('judges the ratio as it was measured, not as it is rounded', () => {
    const row = toRow({ name: 'a', value: 1, unit: 'ms', comparedWith, target: { of: 'ratio', max: 1.3 } })
    expect(row).toMatchObject({ compared_with: 'bare', ratio: 1.3, target: 'ratio <= 1.3', met: false })
  })

  it('judges the value where the target is of the value', () => {
    const row = toRow({ name: 'a', value: 2.9, unit: 's', comparedWith, target: { of: 'value', max: 3 } })
    expect(row).toMatchObject({ target: 'value <= 3', met: true })
  })

  it('judges by the least where the target is one', () => {
    const target = { of: 'ratio', min: 0.9 } as const
    const row = (ratio: number) =>
      toRow({ name: 'a', value: 1, unit: 'tokens/s', comparedWith: { name: 'b', ratio }, target })
    expect(row(0.9)).toMatchObject({ target: 'ratio >= 0.9', met: true })
    expect(row(0.89999)).toMatchObject({ ratio: 0.9, met: false })
  })

  it('refuses a target of a ratio where there is none', () => {
    expect(() => toRow({ name: 'a', value: 1, unit: 'ms', target: { of: 'ratio', max: 2 } })).toThrow('no ratio')
  })
})
