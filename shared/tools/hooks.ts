import * as v from 'valibot'
import { reads } from './define-tool.ts'
import { path } from './fields.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

export const runPreCommit = defineJobTool({
  name: 'run_pre_commit',
  family: 'checks',
  title: 'Run pre-commit hooks',
  description: 'Run the pre-commit hooks on a copy of the repository, for paths (default: all that changed).',
  input: v.strictObject({
    paths: v.optional(v.pipe(v.array(path), v.minLength(1), v.maxLength(1000))),
    ...jobEntries,
  }),
  outcome: v.strictObject({
    passed: v.boolean(),
    hooks: v.array(
      v.strictObject({
        id: v.string(),
        name: v.string(),
        /** Null for a hook that did not run; `output` says why. */
        passed: v.nullable(v.boolean()),
        output: v.string(),
      }),
    ),
    /** How many files the hooks were shown. */
    files: v.number(),
    sandboxed: v.boolean(),
    /** Hooks that were left out, and why. */
    notices: v.array(v.string()),
  }),
  annotations: reads,
  outcomeToText: ({ passed, hooks, files, sandboxed, notices }) =>
    [
      `Hooks ${passed ? 'passed' : 'failed'} on ${files} files${sandboxed ? '' : ', without a sandbox'}`,
      ...hooks.map(({ name, passed: verdict, output }) => {
        const indented = output === '' ? '' : `\n${output.replaceAll(/^(?=.)/gm, '    ')}`
        return `- ${verdict === null ? 'skipped' : verdict ? 'passed' : 'FAILED'} ${name}${indented}`
      }),
      ...notices,
    ].join('\n'),
})
