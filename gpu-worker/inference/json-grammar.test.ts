import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGrammarMatcher, type GrammarMatcher } from '#test/support/grammar-matcher.ts'
import type { AnswerSchema } from '../ports/answer-grammar.ts'
import { jsonGrammar } from './json-grammar.ts'

let matcher: GrammarMatcher
beforeAll(async () => {
  matcher = await createGrammarMatcher()
})
afterAll(() => matcher.close())

const text: AnswerSchema = { type: 'string', maxLength: 3 }
const record = (properties: Record<string, AnswerSchema>): AnswerSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
const list = (minItems: number, maxItems: number, items: AnswerSchema = text): AnswerSchema => ({
  type: 'array',
  items,
  minItems,
  maxItems,
})

const cases: [string, AnswerSchema, readonly string[], readonly string[]][] = [
  [
    'texts',
    text,
    ['""', '"abc"', '"\\n\\"\\\\"', '"\\u00e9\\uD7FF"', '"é€"'],
    ['"abcd"', '"a', 'abc', '"\n"', '"\\x"'],
  ],
  // Two units each in UTF-16: a bound would not hold.
  ['no characters beyond U+FFFF', text, ['"\\uE000"'], ['"😀"', '"\\uD83D\\uDE00"']],
  ['choices', { type: 'string', enum: ['a', 'b"c'] }, ['"a"', '"b\\"c"'], ['"c"', 'a', '""']],
  [
    'whole numbers',
    { type: 'integer', minimum: -12, maximum: 30 },
    ['-12', '-1', '0', '30'],
    ['-13', '31', '-0', '1e1', '1.0', '01'],
  ],
  ['negative numbers only', { type: 'integer', minimum: -5, maximum: -2 }, ['-5', '-2'], ['-6', '-1', '0', '2']],
  ['truth', { type: 'boolean' }, ['true', 'false'], ['True', 'null', '1']],
  ['lists', list(1, 2), ['["a"]', '["a", "b"]', '[\n  "a",\n  "b"\n]'], ['[]', '["a","b","c"]', '["a",]']],
  ['lists that may be empty', list(0, 1), ['[]', '["a"]', '[ ]'], ['["a","b"]']],
  ['lists that must be empty', list(0, 0), ['[]'], ['["a"]']],
  // Together more repetitions than the engine takes within each other.
  [
    'long texts in lists in lists',
    list(1, 8, record({ a: list(0, 6, { type: 'string', maxLength: 500 }) })),
    ['[{"a":["x","y"]},{"a":[]}]'],
    ['[]', '[{"a":"x"}]', '["x"]'],
  ],
  [
    'records, whole and in order',
    record({ a: text, 'b c': { type: 'boolean' } }),
    ['{"a":"x","b c":true}', '{ "a": "x", "b c": false }', '{\n  "a": "x",\n  "b c": true\n}'],
    ['{"a":"x"}', '{"b c":true,"a":"x"}', '{"a":"x","b c":true,"d":1}', '{"a":"x","b c":true}\n'],
  ],
]

describe('jsonGrammar', () => {
  it.each(cases)('takes %s', async (_what, schema, taken, refused) => {
    const grammar = jsonGrammar(schema)
    for (const each of taken) {
      expect(await matcher.matches(grammar, each), each).toBe(true)
      expect(() => JSON.parse(each)).not.toThrow()
    }
    for (const each of refused) expect(await matcher.matches(grammar, each), each).toBe(false)
  })

  it('refuses what has no bounds', () => {
    for (const schema of [
      { type: 'string', maxLength: 100_000 },
      { type: 'string', maxLength: Number.NaN },
      { type: 'string', enum: [] },
      { type: 'integer', minimum: 3, maximum: 2 },
      list(3, 2),
    ] satisfies AnswerSchema[]) {
      expect(() => jsonGrammar(schema)).toThrow(RangeError)
    }
  })
})
