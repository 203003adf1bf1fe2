import type { ImprovementAction } from '#shared/tools/improvement-outcome.ts'

// What a person means by the words of a goal, as the actions that can reach it.
const subjects: readonly (readonly [RegExp, ImprovementAction])[] = [
  [/\bdocs?\b|docstring|document|comment/i, 'generate_documentation'],
  [/refactor|complex|simplif|readab|clean|nest|split|extract|duplicat|shorten|\blong\b|structure/i, 'refactor_code'],
  [/\btest|coverage|untested/i, 'generate_tests'],
]

/**
 * The actions that a goal names; null where it names none, or there is no goal: then the figures alone say what to do. The
 * rest of a goal is for the model, and no oracle believes it.
 */
export function actionsNamedBy(goal: string | null): ReadonlySet<ImprovementAction> | null {
  if (goal === null) return null
  const named = subjects.flatMap(([words, action]) => (words.test(goal) ? [action] : []))
  return named.length === 0 ? null : new Set(named)
}
