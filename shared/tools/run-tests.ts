import * as v from 'valibot'
import { path } from './fields.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

const PATHS_MAX = 100
/** Written out for a model, with what is left of the output. The structured answer has more. */
const FAILURES_SHOWN = 20
const OUTPUT_SHOWN = 1500

const counts = { passed: v.number(), failed: v.number(), skipped: v.number() }

const TestsOutcome = v.strictObject({
  ...counts,
  /** The first ones: `failed` is how many there are. */
  failures: v.array(
    v.strictObject({
      name: v.string(),
      /** A path in the repository, where the runner tells one. */
      file: v.nullable(v.string()),
      line: v.nullable(v.number()),
      message: v.string(),
    }),
  ),
  runners: v.array(
    v.strictObject({
      name: v.string(),
      runner: v.string(),
      command: v.array(v.string()),
      ...counts,
      duration_ms: v.number(),
    }),
  ),
  duration_ms: v.number(),
  /** What the runners printed, head and tail kept. */
  output: v.string(),
  /** False where they ran with all the rights of the worker, because its operator said so. */
  sandboxed: v.boolean(),
})
type TestsOutcome = v.InferOutput<typeof TestsOutcome>

export const runTests = defineJobTool({
  name: 'run_tests',
  family: 'checks',
  title: 'Run the tests',
  description: "Run the repository's own tests: all, or those in paths (files, folders).",
  input: v.strictObject({
    paths: v.optional(v.pipe(v.array(path), v.minLength(1), v.maxLength(PATHS_MAX))),
    ...jobEntries,
  }),
  outcome: TestsOutcome,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  outcomeToText,
})

function outcomeToText({ failures, runners, output, sandboxed, ...all }: TestsOutcome): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const sum = (each: { passed: number; failed: number; skipped: number; duration_ms: number }): string =>
    `${each.passed} passed, ${each.failed} failed, ${each.skipped} skipped in ${seconds(each.duration_ms)}`
  const [first] = runners
  const single = runners.length === 1 && first !== undefined
  const shown = failures.slice(0, FAILURES_SHOWN)
  return [
    `${sum(all)}${single ? ` (${first.name})` : ''}${sandboxed ? '' : ', without a sandbox'}`,
    ...(single ? [] : runners.map((each) => `${each.name}: ${sum(each)}`)),
    ...shown.map(({ name, file, line, message }) => {
      const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`
      return `- ${name}${place}\n${message.replaceAll(/^/gm, '    ')}`
    }),
    ...(all.failed > shown.length ? [`... and ${all.failed - shown.length} more`] : []),
    ...(all.failed === 0 ? [] : ['Output, its end:', output.slice(-OUTPUT_SHOWN).toWellFormed().trimEnd()]),
  ].join('\n')
}
