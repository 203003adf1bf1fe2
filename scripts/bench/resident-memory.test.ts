import { describe, expect, it } from 'vitest'
import { parseResidentMiB, residentMiB } from './resident-memory.ts'

describe('parseResidentMiB', () => {
  it('reads the line of the resident set', () => {
    expect(parseResidentMiB('Name:\tnode\nVmHWM:\t   99999 kB\nVmRSS:\t  131072 kB\nThreads:\t11\n')).toBe(128)
  })

  it('refuses a process that has ended and has no memory any more', () => {
    expect(() => parseResidentMiB('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('it has ended')
  })
})

// The figure is read from /proc.
it.skipIf(process.platform !== 'linux')('tells the memory of a running process', () => {
  expect(residentMiB(process.pid)).toBeGreaterThan(10)
})
