import { describe, expect, it } from 'vitest'
import { nextStep } from './next-step.ts'

const planned = (...paths: string[]) => paths.map((path) => ({ path, state: 'planned' }))
const strangers = () => false

describe('the next step', () => {
  it('is the first of the plan', () => {
    expect(nextStep(planned('a', 'b'), new Set(), strangers)).toBe(0)
  })

  it('is of a file that nobody works on', () => {
    expect(nextStep(planned('a', 'a', 'b'), new Set(['a']), strangers)).toBe(2)
    expect(nextStep(planned('a', 'a'), new Set(['a']), strangers)).toBeNull()
  })

  it('is of no file that may import one that is worked on', () => {
    const areNeighbours = (a: string, b: string) => `${a}${b}` === 'ba'
    expect(nextStep(planned('b', 'c'), new Set(['a']), areNeighbours)).toBe(1)
    expect(nextStep(planned('b'), new Set(['a']), areNeighbours)).toBeNull()
  })

  it('is none that has been done', () => {
    expect(nextStep([{ path: 'a', state: 'kept' }, ...planned('a')], new Set(), strangers)).toBe(1)
    expect(nextStep([{ path: 'a', state: 'skipped' }], new Set(), strangers)).toBeNull()
  })
})
