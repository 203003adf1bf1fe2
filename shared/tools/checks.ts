import * as v from 'valibot'
import { defineTool, reads } from './define-tool.ts'
import { fileContent, path } from './fields.ts'

export const validateFileLength = defineTool({
  name: 'validate_file_length',
  family: 'checks',
  place: 'worker',
  core: false,
  title: 'Check file length',
  description: "Compare a file's lines, or content's, with its limit, or max_lines.",
  input: v.strictObject({
    file_path: path,
    content: v.optional(fileContent),
    max_lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
  }),
  output: v.strictObject({
    path: v.string(),
    violations: v.strictObject({
      exceeds_limit: v.boolean(),
      line_count: v.number(),
      /** Null for a file that may have any number of lines. */
      limit: v.nullable(v.number()),
    }),
  }),
  annotations: reads,
  toText({ path, violations: { exceeds_limit, line_count, limit } }) {
    if (limit === null) return `${path}: ${line_count} lines, no limit`
    const advice = exceeds_limit ? ': shorten it or move parts to other files' : ''
    return `${path}: ${line_count} lines, limit ${limit}${advice}`
  },
})
