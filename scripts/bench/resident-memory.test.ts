import { describe, expect, it } from 'vitest'
import { forgetPeak, parsePeakMiB, parseResidentMiB, peakMiB, residentMiB } from './resident-memory.ts'

describe('parseResidentMiB', () => {
  it('reads the line of the resident set', () => {
    expect(parseResidentMiB('Name:\tnode\nVmHWM:\t   99999 kB\nVmRSS:\t  131072 kB\nThreads:\t11\n')).toBe(128)
  })

  it('reads the line of the peak', () => {
    expect(parsePeakMiB('VmHWM:\t  262144 kB\nVmRSS:\t  131072 kB\n')).toBe(256)
  })

  it('refuses a process that has ended and has no memory any more', () => {
    expect(() => parseResidentMiB('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('it has ended')
  })
})

// The figure is read from /proc.
it.skipIf(process.platform !== 'linux')('tells the memory of a running process', () => {
  expect(residentMiB(process.pid)).toBeGreaterThan(10)
})

// The kernel's own record, and its switch to begin it anew.
it.skipIf(process.platform !== 'linux')('tells the peak of a process since it was forgotten', () => {
  let large: Buffer | null = Buffer.alloc(64 * 1024 * 1024, 1)
  expect(peakMiB(process.pid)).toBeGreaterThanOrEqual(large.length / 1024 / 1024)
  large = null
  forgetPeak(process.pid)
  const before = peakMiB(process.pid)
  const more = Buffer.alloc(96 * 1024 * 1024, 1)
  expect(peakMiB(process.pid)).toBeGreaterThan(before)
  expect(more.length).toBeGreaterThan(0)
})
