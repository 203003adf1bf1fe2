import * as v from 'valibot'
import { Complexity, Severity } from './check.ts'

/** Languages whose code can be measured, and the kinds of text of which only the size is. */
export const MeasuredLanguage = v.picklist([
  'python',
  'javascript',
  'typescript',
  'tsx',
  'go',
  'rust',
  'java',
  'c',
  'cpp',
  'json',
  'yaml',
  'markdown',
])
export type MeasuredLanguage = v.InferOutput<typeof MeasuredLanguage>

/** Something to mend. `message` says what to do; `line` counts from 1. */
export const CodeIssue = v.strictObject({
  rule: v.string(),
  severity: Severity,
  message: v.string(),
  line: v.nullable(v.number()),
})
export type CodeIssue = v.InferOutput<typeof CodeIssue>

/** What one rule takes from the score: `points`, for `count` issues. */
export const Deduction = v.strictObject({ rule: v.string(), count: v.number(), points: v.number() })
export type Deduction = v.InferOutput<typeof Deduction>

const NamedPlace = v.strictObject({ name: v.string(), line: v.number() })

/** The figures of one text. Null stands for what its language has not, or what could not be measured: see `skipped`. */
export const QualityReport = v.strictObject({
  path: v.nullable(v.string()),
  language: v.nullable(v.string()),
  /** 100 less the points of all deductions; 0 at least, and where the text does not parse. */
  score: v.number(),
  deductions: v.array(Deduction),
  complexity: v.nullable(Complexity),
  size: v.strictObject({
    bytes: v.number(),
    /** Newline characters. */
    lines: v.number(),
    code_lines: v.nullable(v.number()),
    comment_lines: v.nullable(v.number()),
    blank_lines: v.number(),
    functions: v.nullable(v.number()),
    classes: v.nullable(v.number()),
  }),
  duplication: v.nullable(
    v.strictObject({
      lines: v.number(),
      /** Of the lines of code. */
      percent: v.number(),
      /** The longest first; `path` is null where both halves are in this text. */
      copies: v.array(
        v.strictObject({
          path: v.nullable(v.string()),
          line: v.number(),
          end_line: v.number(),
          other_line: v.number(),
          other_end_line: v.number(),
          tokens: v.number(),
        }),
      ),
      files_compared: v.number(),
      /** Not compared for want of time; asking again goes on with them. */
      files_left: v.number(),
      files_skipped: v.number(),
    }),
  ),
  missing_docs: v.nullable(v.array(NamedPlace)),
  missing_types: v.nullable(
    v.array(v.strictObject({ ...NamedPlace.entries, parameters: v.array(v.string()), returns: v.boolean() })),
  ),
  unused_imports: v.nullable(v.array(NamedPlace)),
  /** Errors first, then by line; the first hundred of `issues_total`. */
  issues: v.array(CodeIssue),
  issues_total: v.number(),
  skipped: v.array(v.strictObject({ rule: v.string(), reason: v.string() })),
})
export type QualityReport = v.InferOutput<typeof QualityReport>
