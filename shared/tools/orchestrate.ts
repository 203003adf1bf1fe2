import * as v from 'valibot'
import { PATH_BYTES_MAX } from '../protocol/limits.ts'
import { type ImprovementStep, OrchestrationReport, type RunTests } from '../schemas/orchestration.ts'
import { changes } from './define-tool.ts'
import type { CodeFigures } from './improvement-outcome.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

const GOAL_CHARACTERS_MAX = 2000
const PATHS_MAX = 100
const TOKENS_MAX = 1_000_000_000
/** What a report of so many steps, each with its figures, takes is what clients show of one answer. */
export const ITERATIONS_MAX = 100
export const ITERATIONS_DEFAULT = 20
export const MINUTES_MAX = 12 * 60
export const MINUTES_DEFAULT = 30
/** After its minutes a run still tests what it kept; before them it may have waited in the queue. */
const BESIDE_MINUTES_MS = 60 * 60_000

/** Every caller pays for each word of a schema: the bounds are said where they are broken, and in docs/tools.md. */
const text = (max: number) =>
  v.pipe(
    v.string(),
    v.check(({ length }) => length <= max, `must have at most ${max} characters`),
  )

const count = (max: number) =>
  v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= 1 && value <= max,
      `must be a whole number from 1 to ${max}`,
    ),
  )

/** An array would be taken for an object without any of the three. */
const budget = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), 'must be an object'),
  v.strictObject({
    iterations: v.optional(count(ITERATIONS_MAX)),
    minutes: v.optional(count(MINUTES_MAX)),
    tokens: v.optional(count(TOKENS_MAX)),
  }),
)

export const orchestrateImprovement = defineJobTool({
  name: 'orchestrate_improvement',
  family: 'improvement',
  title: 'Improve many files',
  description:
    'Document, refactor and test files, worst first, one agent each; keeps only what figures and tests prove.',
  input: v.strictObject({
    goal: v.optional(text(GOAL_CHARACTERS_MAX)),
    paths: v.optional(
      v.pipe(
        v.array(text(PATH_BYTES_MAX)),
        v.check((paths) => paths.length <= PATHS_MAX, `must be at most ${PATHS_MAX} paths`),
      ),
    ),
    budget: v.optional(budget),
    keep_agents: v.optional(v.boolean()),
    commit: v.optional(v.boolean()),
    ...jobEntries,
  }),
  outcome: OrchestrationReport,
  annotations: changes,
  outcomeToText: (report) => reportToText(report),
  resumes: true,
  deadlineMs: ({ budget }) => (budget?.minutes ?? MINUTES_DEFAULT) * 60_000 + BESIDE_MINUTES_MS,
})

/** A report for a model to read: how it ended, what each step did, what the tests say, the cost. */
export function reportToText(report: OrchestrationReport): string {
  const { steps, kept, reverted, used, budget, usage } = report
  return [
    `${kept} of ${used.iterations} steps kept${reverted > 0 ? `, ${reverted} taken back` : ''}; ${endings[report.ended_by]}`,
    ...(report.goal === null ? [] : [`Goal: ${report.goal}`]),
    ...steps.flatMap(stepToText),
    ...(report.steps_left === 0 ? [] : [`${report.steps_left} more steps are asked for by the figures`]),
    testsToText(report.tests),
    `Used: ${used.iterations} of ${budget.iterations} iterations, ${(used.seconds / 60).toFixed(1)} of ${budget.minutes} minutes, ${used.tokens}${budget.tokens === null ? '' : ` of ${budget.tokens}`} tokens (${usage.prompt_tokens} prompt, ${usage.completion_tokens} answer), ${usage.model}`,
    `${report.files_measured} files measured`,
  ].join('\n')
}

const endings: Readonly<Record<OrchestrationReport['ended_by'], string>> = {
  done: 'the plan is done',
  iterations: 'its iterations are used up',
  minutes: 'its minutes are over',
  tokens: 'its tokens are used up',
  model_unavailable: 'there is no model any more',
  disk_full: 'the disk is full',
  stopped: 'it was stopped',
}

function stepToText({ path, action, state, why, note, before, after }: ImprovementStep): string[] {
  const figures = before === null || after === null ? [] : changedFigures(before, after)
  const what = figures.length === 0 ? '' : `: ${figures.join(', ')}`
  return [`- ${state} ${action} ${path}${what}`, `  ${note ?? why}`]
}

function changedFigures(before: CodeFigures, after: CodeFigures): string[] {
  return (Object.keys(before) as (keyof CodeFigures)[])
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} ${before[name] ?? 'unknown'} -> ${after[name] ?? 'unknown'}`)
}

function testsToText({ before, after, broken, note }: RunTests): string {
  const counts = (each: NonNullable<RunTests['before']>): string => `${each.passed} passed, ${each.failed} failed`
  const figures = before === null ? '' : `: ${counts(before)} before${after === null ? '' : `, ${counts(after)} after`}`
  const lost = broken.length === 0 ? '' : `; no longer passing: ${broken.join(', ')}`
  return `Tests${figures}${lost}. ${note}`
}
