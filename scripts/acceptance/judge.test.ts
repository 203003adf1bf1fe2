import { describe, expect, it } from 'vitest'
import { type Evidence, isAccepted, judge } from './judge.ts'

const good: Evidence = {
  functions: new Map([['Files', { passed: 2, failed: 0, blocking: 0, skipped: 0 }]]),
  averageResponseMs: 999,
  agents: 100,
  memoryMiB: 4095,
  coveragePercentage: 80.1,
  issues: Array.from({ length: 4 }, () => ({ severity: 'MEDIUM' as const })),
  gpuMemoryMiB: null,
}

describe('the criteria', () => {
  it('hold just below and above their limits', () => {
    const criteria = judge(good)
    expect(isAccepted(criteria)).toBe(true)
    expect(criteria.filter(({ holds }) => holds === null).map(({ name }) => name)).toEqual(['GPU used for the model'])
  })

  it.each([
    ['Average response time', { averageResponseMs: 1000 }],
    ['Average response time', { averageResponseMs: null }],
    ['Agents', { agents: 99 }],
    ['Memory', { memoryMiB: 4096 }],
    ['Memory', { memoryMiB: null }],
    ['Tool coverage', { coveragePercentage: 80 }],
    ['Blocking issues', { issues: [{ severity: 'HIGH' }] }],
    ['Medium issues', { issues: Array.from({ length: 5 }, () => ({ severity: 'MEDIUM' })) }],
    ['GPU used for the model', { gpuMemoryMiB: 0 }],
    ['Files', { functions: new Map([['Files', { passed: 9, failed: 1, blocking: 1, skipped: 0 }]]) }],
    ['Files', { functions: new Map([['Files', { passed: 0, failed: 0, blocking: 0, skipped: 9 }]]) }],
  ] as [string, Partial<Evidence>][])('%s does not hold with %o', (name, change) => {
    const criteria = judge({ ...good, ...change })
    expect(criteria.filter(({ holds }) => holds === false).map((each) => each.name)).toEqual([name])
    expect(isAccepted(criteria)).toBe(false)
  })

  it('let a few things fail that block nothing', () => {
    const functions = new Map([['Files', { passed: 9, failed: 1, blocking: 0, skipped: 0 }]])
    expect(isAccepted(judge({ ...good, functions }))).toBe(true)
  })
})
