import { describe, expect, it } from 'vitest'
import { benchUsage, parseBenchOptions } from './options.ts'

describe('parseBenchOptions', () => {
  const names = ['first', 'second', 'third'] as const

  it('takes all groups of figures where none is named', () => {
    expect(parseBenchOptions([], names)).toEqual({ help: false, only: names, quick: false })
  })

  it('takes the named ones, in their own order and once each', () => {
    const args = ['--quick', '--only', 'third', '--only=first', '--only', 'third']
    expect(parseBenchOptions(args, names)).toEqual({ help: false, only: ['first', 'third'], quick: true })
  })

  it('refuses a name that there is not, and an option that there is not', () => {
    expect(() => parseBenchOptions(['--only', 'fourth'], names)).toThrow('there are first, second, third')
    expect(() => parseBenchOptions(['--fast'], names)).toThrow('--fast')
  })

  it('names the groups in its usage', () => {
    expect(benchUsage(names)).toContain('first, second, third')
  })
})
