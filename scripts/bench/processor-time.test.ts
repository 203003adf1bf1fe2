import { describe, expect, it } from 'vitest'
import { childrenProcessorMs, parseStat } from './processor-time.ts'

describe('processor time', () => {
  it('is read from behind a name that looks like fields', () => {
    const text = '42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 150 25 0 0 20 0 1 0 100 200 300'
    expect(parseStat(text)).toEqual({ name: 'a) b (c', parent: 7, ticks: 175 })
  })

  it('is nothing for children that there are not', () => {
    expect(childrenProcessorMs('no such program')).toBe(0)
  })
})
