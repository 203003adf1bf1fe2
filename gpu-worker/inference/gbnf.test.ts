import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGrammarMatcher, type GrammarMatcher } from '#test/support/grammar-matcher.ts'
import { literal, numberBetween } from './gbnf.ts'

let matcher: GrammarMatcher
beforeAll(async () => {
  matcher = await createGrammarMatcher()
})
afterAll(() => matcher.close())

describe('numberBetween', () => {
  it.each([
    [0, 0],
    [1, 1],
    [1, 9],
    [0, 10],
    [7, 12],
    [3, 120],
    [99, 101],
    [100, 199],
    [123, 457],
    [95, 1004],
    [1, 999],
  ])('takes the numbers from %i to %i, and no other', async (low, high) => {
    const grammar = `root ::= ${numberBetween(low, high)}\n`
    const taken: number[] = []
    for (let number = 0; number <= high + 120; number++) {
      if (await matcher.matches(grammar, String(number))) taken.push(number)
    }
    expect(taken).toEqual(Array.from({ length: high - low + 1 }, (_, index) => low + index))
    for (const other of ['', ` ${high}`, `0${high}`, `${high}.0`, `-${high}`]) {
      expect(await matcher.matches(grammar, other), other).toBe(false)
    }
  })

  it('is small for large ranges', () => {
    expect(numberBetween(1234, 98_765).length).toBeLessThan(300)
  })

  it.each([
    [2, 1],
    [-1, 3],
    [0.5, 3],
    [0, Number.NaN],
  ])('refuses %d to %d', (low, high) => {
    expect(() => numberBetween(low, high)).toThrow(RangeError)
  })
})

describe('literal', () => {
  it.each(['plain', 'quote " and \\ back', 'line\nend\ttab\r', '{"a": "\\n"}', 'ümlaut €'])(
    'takes %j as it stands',
    async (text) => {
      const grammar = `root ::= ${literal(text)}\n`
      expect(await matcher.matches(grammar, text)).toBe(true)
      expect(await matcher.matches(grammar, `${text}x`)).toBe(false)
    },
  )
})
