import { describe, expect, it } from 'vitest'
import { parseSettings } from './settings.ts'

const parse = (...measures: object[]) => parseSettings(JSON.stringify({ measures })).measures
const measure = { name: 'parse', run: ['node', 'bench.js'] }

describe('measures of millwright.json', () => {
  it('have defaults', () => {
    expect(parse(measure)).toEqual([{ ...measure, runs: 9, timeoutMs: 60_000, scratchFolders: [] }])
    expect(parseSettings('{}').measures).toEqual([])
  })

  it.each<[string, object[], string]>([
    ['a name twice', [measure, measure], 'measures.1.name: there are two measures "parse"'],
    ['too few runs to tell anything', [{ ...measure, runs: 5 }], 'measures.0.runs: must be at least 6'],
    ['no program', [{ ...measure, run: [] }], 'measures.0.run'],
    ['a NUL', [{ ...measure, run: ['a\0b'] }], 'measures.0.run: must be a program and its arguments'],
    ['a name with blanks', [{ ...measure, name: 'two words' }], 'measures.0.name: must be lower-case letters'],
    ['a key that there is not', [{ ...measure, shell: true }], 'measures.0.shell: unknown field'],
  ])('are refused for %s', (_what, measures, message) => {
    expect(() => parse(...measures)).toThrow(message)
  })
})
