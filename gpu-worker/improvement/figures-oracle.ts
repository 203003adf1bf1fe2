import type { CodeFigures, FigureName } from '#shared/tools/improvement-outcome.ts'
import { gain } from './figures.ts'
import { held, type Oracle, refused } from './oracle.ts'

export interface FiguresOracleOptions {
  readonly before: CodeFigures
  readonly measure: (text: string, signal: AbortSignal) => Promise<CodeFigures>
  /** Of which one must get better. */
  readonly wanted: readonly FigureName[]
}

/** Figures that must not get worse, whatever a refactoring is for. */
const kept: readonly FigureName[] = [
  'score',
  'cyclomatic',
  'cyclomatic_total',
  'cognitive',
  'cognitive_total',
  'duplicated_lines',
]
/** A function that was split into three has three heads: so much longer a file may get, whichever is more. */
const GROWTH_LINES = 10
const GROWTH_SHARE = 0.2

const names: Partial<Record<FigureName, string>> = {
  cyclomatic: 'the highest cyclomatic complexity of a function',
  cyclomatic_total: 'the number of branches in the file',
  cognitive: 'the highest cognitive complexity of a function',
  cognitive_total: 'the cognitive complexity of all functions together',
  longest_function: 'the number of lines of the longest function',
  nesting: 'the deepest nesting',
  parameters: 'the most parameters of a function',
  duplicated_lines: 'the number of lines that stand elsewhere too',
  code_lines: 'the number of lines of code',
  lines: 'the number of lines',
  missing_docs: 'the number of public names without documentation',
  missing_types: 'the number of functions without types',
  unused_imports: 'the number of unused imports',
  score: 'the score',
  issues: 'the number of issues',
}

/** A refactoring makes no figure worse, and at least one that it is for better. */
export function createFiguresOracle({ before, measure, wanted }: FiguresOracleOptions): Oracle {
  return {
    rule: 'metrics',
    asks: `Something of this gets better, and nothing worse: ${wanted.map(nameOf).join(', ')}`,
    async judge(text, signal) {
      const after = await measure(text, signal)
      const worse = worsened(before, after)
      const [first, ...others] = worse.map((each) => toObjection(each, before, after))
      if (first !== undefined) return refused([first, ...others])
      const better = wanted.filter((each) => (gain(each, before, after) ?? 0) > 0)
      if (better.length === 0) return refused([nothingBetter(wanted, before)])
      return held(better.map((each) => `${each} ${before[each]} -> ${after[each]}`).join(', '))
    },
  }
}

function worsened(before: CodeFigures, after: CodeFigures): FigureName[] {
  const worse = kept.filter((each) => (gain(each, before, after) ?? 0) < 0)
  const grown = -(gain('code_lines', before, after) ?? 0)
  const room = Math.max(GROWTH_LINES, Math.floor((before.code_lines ?? 0) * GROWTH_SHARE))
  return grown > room ? [...worse, 'code_lines'] : worse
}

const nameOf = (name: FigureName): string => names[name] ?? name

function toObjection(name: FigureName, before: CodeFigures, after: CodeFigures): string {
  const limit = `at ${name === 'score' ? 'least' : 'most'} ${before[name]}`
  return `This made it worse: ${nameOf(name)} was ${before[name]} and is ${after[name]}. Write it so that it is ${limit}`
}

function nothingBetter(wanted: readonly FigureName[], before: CodeFigures): string {
  const were = wanted.filter((each) => before[each] !== null).map((each) => `${nameOf(each)} (${before[each]})`)
  return were.length === 0
    ? 'Nothing that was asked for can be measured in such a file'
    : `Nothing got better. Improve one of these without changing what the code does: ${were.join(', ')}`
}
