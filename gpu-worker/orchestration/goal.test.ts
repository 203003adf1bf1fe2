import { describe, expect, it } from 'vitest'
import { actionsNamedBy } from './goal.ts'

describe('the actions that a goal names', () => {
  it.each<[string, string[] | null]>([
    ['Document everything that is public', ['generate_documentation']],
    ['Add docstrings and unit tests', ['generate_documentation', 'generate_tests']],
    ['Reduce the complexity of the parser', ['refactor_code']],
    ['Raise test coverage', ['generate_tests']],
    ['Make it latest', null],
    ['Use the new client everywhere', null],
  ])('%s', (goal, actions) => {
    expect(actionsNamedBy(goal)).toEqual(actions === null ? null : new Set(actions))
  })

  it('are for the figures to say where there is no goal', () => {
    expect(actionsNamedBy(null)).toBeNull()
  })
})
