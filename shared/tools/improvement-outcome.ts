import * as v from 'valibot'
import { ChatOutcome, chatWithAgent } from './agents.ts'

/** The tools that change a file only where something other than the model says that it became better. */
export const improvementActions = [
  'refactor_code',
  'generate_documentation',
  'generate_tests',
  'optimize_performance',
] as const
export type ImprovementAction = (typeof improvementActions)[number]

const figure = v.nullable(v.number())

/** The figures of one text that are compared. Null stands for what its language has not, or what could not be measured. */
export const CodeFigures = v.strictObject({
  /** Of 100, as in QualityReport. More is better; of all others, less. */
  score: v.number(),
  issues: v.number(),
  lines: v.number(),
  code_lines: figure,
  /** Of the function that has most, and of all together. A function without a branch adds nothing to the totals. */
  cyclomatic: figure,
  cyclomatic_total: figure,
  cognitive: figure,
  cognitive_total: figure,
  /** Lines of the longest function, the deepest nesting and the most parameters. */
  longest_function: figure,
  nesting: figure,
  parameters: figure,
  duplicated_lines: figure,
  missing_docs: figure,
  missing_types: figure,
  unused_imports: figure,
})
export type CodeFigures = v.InferOutput<typeof CodeFigures>
export type FigureName = keyof CodeFigures

/** One thing that had to be shown. `proven` is false for what nothing here can show; `how` says what was done or why not. */
export const Proof = v.strictObject({ rule: v.string(), proven: v.boolean(), how: v.string() })
export type Proof = v.InferOutput<typeof Proof>

const TestCounts = v.strictObject({ passed: v.number(), failed: v.number(), skipped: v.number() })

/** A test run before and after. `before` is null where there was nothing to run. */
export const TestComparison = v.strictObject({
  runner: v.string(),
  before: v.nullable(TestCounts),
  after: TestCounts,
})
export type TestComparison = v.InferOutput<typeof TestComparison>

/** What happened to tests when the code under test was broken on purpose, once for each of `tried`. */
export const MutantReport = v.strictObject({
  tried: v.number(),
  killed: v.number(),
  /** The breaks that no test noticed. */
  survived: v.array(v.string()),
  /** New tests that passed whatever was broken. */
  idle_tests: v.array(v.string()),
})
export type MutantReport = v.InferOutput<typeof MutantReport>

const Spread = v.strictObject({ median_ms: v.number(), min_ms: v.number(), max_ms: v.number() })

/** A command's time on the file of before and of after, run in turns. */
export const Measurement = v.strictObject({
  measure: v.string(),
  /** Of each of the two. */
  runs: v.number(),
  before: Spread,
  after: Spread,
  /** By how much the median fell, in percent of the one before; below 0 where it rose. */
  faster_percent: v.number(),
  /** How likely such an order of times is where nothing became faster. */
  chance: v.number(),
})
export type Measurement = v.InferOutput<typeof Measurement>

/** What an improvement ends with: a chat job's outcome, with what was compared. */
export const ImprovementOutcome = v.strictObject({
  ...ChatOutcome.entries,
  action: v.picklist(improvementActions),
  path: v.string(),
  /** Null where there was no file, or where its kind has no figures. */
  before: v.nullable(CodeFigures),
  after: v.nullable(CodeFigures),
  proof: v.array(Proof),
  tests: v.nullable(TestComparison),
  mutants: v.nullable(MutantReport),
  measurement: v.nullable(Measurement),
})
export type ImprovementOutcome = v.InferOutput<typeof ImprovementOutcome>

/** An improvement for a model to read: what a chat job says, then what was compared and what it shows. */
export function improvementToText(outcome: ImprovementOutcome): string {
  const { before, after, proof } = outcome
  return [
    chatWithAgent.outcomeToText(outcome),
    ...(before === null || after === null ? [] : [figuresToText(before, after)]),
    ...proof.map(({ rule, proven, how }) => `- ${proven ? 'proven' : 'NOT proven'} ${rule}: ${how}`),
    ...(outcome.mutants === null ? [] : mutantsToText(outcome.mutants)),
  ].join('\n')
}

function figuresToText(before: CodeFigures, after: CodeFigures): string {
  const changed = (Object.keys(CodeFigures.entries) as FigureName[])
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} ${before[name] ?? 'unknown'} -> ${after[name] ?? 'unknown'}`)
  return changed.length === 0 ? 'Figures: none changed' : `Figures: ${changed.join(', ')}`
}

function mutantsToText({ survived, idle_tests }: MutantReport): string[] {
  return [
    ...survived.map((each) => `- not noticed by the tests: ${each}`),
    ...(idle_tests.length === 0 ? [] : [`- passed whatever was broken: ${idle_tests.join(', ')}`]),
  ]
}
