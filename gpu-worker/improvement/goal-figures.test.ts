import { describe, expect, it } from 'vitest'
import { figuresOf } from './goal-figures.ts'

describe('figuresOf', () => {
  it.each([
    ['Reduce the nesting of parse()', 'nesting'],
    ['make it less complex', 'cognitive'],
    ['Remove the duplicated loops', 'duplicated_lines'],
    ['Split the long function', 'longest_function'],
    ['Take fewer parameters', 'parameters'],
    ['Add type hints everywhere', 'missing_types'],
    ['drop unused imports', 'unused_imports'],
    ['Mend the issues', 'score'],
  ])('takes "%s" for %s', (goal, figure) => {
    expect(figuresOf(goal)).toContain(figure)
  })

  it('takes nothing but what the goal names', () => {
    expect(figuresOf('Take fewer parameters')).toEqual(['parameters'])
  })

  it('takes the usual figures for a goal that names none', () => {
    expect(figuresOf('Make this nicer')).toEqual(expect.arrayContaining(['cognitive', 'cyclomatic', 'nesting']))
    expect(figuresOf('Make this nicer')).not.toContain('lines')
  })
})
