import { describe, expect, it } from 'vitest'
import { counted, toBytes, toDuration, toTitle } from './words.ts'

describe('figures in words', () => {
  it('writes bytes with the unit that fits', () => {
    expect([0, 1023, 1024, 1536 * 1024, 150 * 1024 ** 2, 3 * 1024 ** 4].map(toBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 MiB',
      '150 MiB',
      '3.0 TiB',
    ])
  })

  it('writes times with the two units that matter', () => {
    expect([12, 1250, 61_000, 3_725_000].map(toDuration)).toEqual(['12 ms', '1.3 s', '1 min 1 s', '1 h 2 min'])
  })

  it('counts one and several', () => {
    expect([counted(1, 'job'), counted(0, 'job'), counted(1200, 'entry', 'entries')]).toEqual([
      '1 job',
      '0 jobs',
      '1,200 entries',
    ])
    expect(toTitle('run_all_validations')).toBe('Run all validations')
  })
})
