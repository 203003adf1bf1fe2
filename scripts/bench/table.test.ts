import { expect, it } from 'vitest'
import { toRow } from './row.ts'
import { formatTable } from './table.ts'

it('lines columns up, numbers at their right, and leaves out what there is not', () => {
  const comparedWith = { name: 'bare', ratio: 1.25 }
  const rows = [
    toRow({ name: 'bare', value: 0.8, unit: 'ms' }),
    toRow({ name: 'tool', value: 1000, unit: 'ms', comparedWith, target: { of: 'ratio', max: 1.2 } }),
  ]
  expect(formatTable(rows)).toBe(
    [
      'figure  value  unit  ratio  compared with  target        met',
      '------  -----  ----  -----  -------------  ------------  ---',
      'bare      0.8  ms',
      'tool     1000  ms    1.25x  bare           ratio <= 1.2  NO',
    ].join('\n'),
  )
})
