import { describe, expect, it } from 'vitest'
import type { CodeFigures } from '#shared/tools/improvement-outcome.ts'
import { createFiguresOracle } from './figures-oracle.ts'

const before: CodeFigures = {
  ...{ score: 80, issues: 4, lines: 120, code_lines: 100, cyclomatic: 9, cyclomatic_total: 30 },
  ...{ cognitive: 20, cognitive_total: 50, longest_function: 40, nesting: 4, parameters: 5 },
  ...{ duplicated_lines: 0, missing_docs: 3, missing_types: 2, unused_imports: 1 },
}

const judge = (change: Partial<CodeFigures>, was: Partial<CodeFigures> = {}) =>
  createFiguresOracle({
    before: { ...before, ...was },
    measure: async () => ({ ...before, ...was, ...change }),
    wanted: ['nesting', 'longest_function'],
  }).judge('', new AbortController().signal)

describe('the judge of figures', () => {
  it('takes one figure that is better for enough', async () => {
    expect(await judge({ nesting: 3 })).toEqual({ objections: [], proof: { proven: true, how: 'nesting 4 -> 3' } })
  })

  it.each<[string, Partial<CodeFigures>]>([
    ['better in what was not asked for', { cognitive: 10 }],
    ['the same', {}],
    ['worse in what was asked for and better in nothing', { nesting: 5 }],
  ])('objects to a file that is %s', async (_what, change) => {
    expect((await judge(change)).objections).toEqual([expect.stringContaining('Nothing got better')])
  })

  it.each<[string, Partial<CodeFigures>, string]>([
    ['the score', { score: 75 }, 'the score was 80 and is 75. Write it so that it is at least 80'],
    ['branches', { cyclomatic_total: 31 }, 'the number of branches in the file was 30 and is 31'],
    ['copies', { duplicated_lines: 12 }, 'the number of lines that stand elsewhere too was 0 and is 12'],
    ['lines of code, by more than a fifth', { code_lines: 121 }, 'the number of lines of code was 100 and is 121'],
  ])('objects to what makes %s worse, whatever else is better', async (_what, change, message) => {
    const { objections, proof } = await judge({ nesting: 1, ...change })
    expect(objections).toEqual([expect.stringContaining(message)])
    expect(proof.proven).toBe(false)
  })

  it('lets a file grow by the heads of new functions', async () => {
    expect((await judge({ nesting: 1, code_lines: 120 })).objections).toEqual([])
    expect((await judge({ nesting: 1, code_lines: 20 }, { code_lines: 10 })).objections).toEqual([])
    expect((await judge({ nesting: 1, code_lines: 21 }, { code_lines: 10 })).objections).toHaveLength(1)
  })

  it('says nothing of what is not known', async () => {
    expect((await judge({ nesting: 1, duplicated_lines: null })).objections).toEqual([])
    expect((await judge({ nesting: null, longest_function: null })).objections).toHaveLength(1)
  })
})
