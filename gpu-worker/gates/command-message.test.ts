import { describe, expect, it } from 'vitest'
import type { CommandOutcome } from '../ports/command-runner.ts'
import { isNoWorse } from './command-message.ts'

const failed = (whole: string | null): CommandOutcome => ({
  kind: 'ended',
  status: 1,
  output: 'cut',
  whole,
  report: null,
  root: '/repository',
  durationMs: 1,
})

describe('isNoWorse', () => {
  it.each([
    ['lines that moved', 'a.py:3:7: E501 too long (0x7f)', 'a.py:1:7: E501 too long (0x12)'],
    ['fewer failures', '= 2 failed in 3.10s =', '= 3 failed in 2.90s ='],
    ['a place beside the word', '  12:80 error  no-undef', '  9:10 error  no-undef'],
    ['fewer lines', 'one', 'one\ntwo'],
  ])('forgives %s', (_what, now, before) => {
    expect(isNoWorse(failed(now), failed(before))).toBe(true)
  })

  it.each([
    ['a line more', 'one\ntwo', 'one'],
    ['a line once more', 'one\none', 'one'],
    ['pytest counting more', '= 3 failed, 1 passed in 2s =', '= 2 failed, 2 passed in 9s ='],
    ['tsc counting more', 'Found 12 errors in 4 files.', 'Found 9 errors in 4 files.'],
    ['eslint counting more', '✖ 5 problems (3 errors, 2 warnings)', '✖ 5 problems (2 errors, 3 warnings)'],
    ['unittest counting more', 'FAILED (failures=2)', 'FAILED (failures=1)'],
    ['what is too long to compare', null, 'one'],
    ['what was too long to compare', 'one', null],
  ])('does not forgive %s', (_what, now, before) => {
    expect(isNoWorse(failed(now), failed(before))).toBe(false)
  })
})
