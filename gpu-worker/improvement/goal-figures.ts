import type { FigureName } from '#shared/tools/improvement-outcome.ts'

// What a person means by the words of a goal, as figures that can show whether it was reached.
const subjects: readonly (readonly [RegExp, readonly FigureName[]])[] = [
  [/complex|simplif|branch|readab|clean/i, ['cognitive', 'cognitive_total', 'cyclomatic', 'cyclomatic_total']],
  [/nest|flatten|indent|early return|guard clause/i, ['nesting', 'cognitive', 'cognitive_total']],
  [/duplicat|copies|copied|repeat|\bdry\b/i, ['duplicated_lines', 'code_lines']],
  [/\blong|short|split|extract|length|\bsize\b|\blines\b/i, ['longest_function', 'code_lines', 'lines']],
  [/parameter|argument|signature/i, ['parameters']],
  [/docstring|document|\bdocs?\b/i, ['missing_docs']],
  [/\btyp(?:e|es|ing|ed)\b|annotat/i, ['missing_types']],
  [/import/i, ['unused_imports']],
  [/issue|violation|warning|lint|quality|score/i, ['score', 'issues']],
]

/** What a refactoring is for where its goal names nothing else. */
const usual: readonly FigureName[] = [
  'cognitive',
  'cognitive_total',
  'cyclomatic',
  'cyclomatic_total',
  'nesting',
  'longest_function',
  'duplicated_lines',
]

/** The figures of which one must get better for a goal to be reached. */
export function figuresOf(goal: string): readonly FigureName[] {
  const named = subjects.flatMap(([words, figures]) => (words.test(goal) ? figures : []))
  return named.length === 0 ? usual : [...new Set(named)]
}
