import * as v from 'valibot'
import { Severity } from './check.ts'

/** What the rules of a repository are about, as callers know it; see `issueKindOf`. */
export const issueKinds = [
  'missing_tests',
  'missing_readmes',
  'exceeds_limit',
  'too_complex',
  'long_functions',
  'syntax_errors',
  'ownership',
  'naming',
  'forbidden',
  'secrets',
  'missing_docs',
  'configuration',
] as const
export type IssueKind = (typeof issueKinds)[number]

const kindOfRule: Readonly<Record<string, IssueKind>> = {
  missing_tests: 'missing_tests',
  missing_readmes: 'missing_readmes',
  line_limit: 'exceeds_limit',
  complexity: 'too_complex',
  function_length: 'long_functions',
  syntax: 'syntax_errors',
  ownership: 'ownership',
  naming: 'naming',
  forbidden_pattern: 'forbidden',
  secrets: 'secrets',
  missing_docs: 'missing_docs',
  configuration: 'configuration',
}

/** The kind of issue that a rule finds. Null for one that says nothing about a repository as a whole. */
export const issueKindOf = (rule: string): IssueKind | null => kindOfRule[rule] ?? null

/** One thing to mend. Of a file that is missing, `path` says where it should be. `line` counts from 1. */
export const RepositoryIssue = v.strictObject({
  path: v.string(),
  line: v.nullable(v.number()),
  severity: Severity,
  message: v.string(),
})
export type RepositoryIssue = v.InferOutput<typeof RepositoryIssue>

const issues = v.array(RepositoryIssue)
const ofEachKind = <Schema extends v.GenericSchema>(schema: Schema) => ({
  missing_tests: schema,
  missing_readmes: schema,
  exceeds_limit: schema,
  too_complex: schema,
  long_functions: schema,
  syntax_errors: schema,
  ownership: schema,
  naming: schema,
  forbidden: schema,
  secrets: schema,
  missing_docs: schema,
  configuration: schema,
})

/** What every look at a repository says about itself. */
const looked = {
  /** Nothing of weight `error` was found, and everything was looked at. */
  passed: v.boolean(),
  files_checked: v.number(),
  /** Files that could not be checked; the first are in `skipped`. */
  files_skipped: v.number(),
  skipped: v.array(v.strictObject({ path: v.string(), reason: v.string() })),
  /** Rules that did not run, and why. */
  not_run: v.array(v.strictObject({ rule: v.string(), reason: v.string() })),
  /** Why not everything was looked at; null where it was. */
  incomplete: v.nullable(v.string()),
  /** A resource with all that was found, as SARIF 2.1.0. */
  sarif: v.string(),
  /** The commit on which the work tree was based; null before the first, or where nobody noted it. */
  commit: v.optional(v.nullable(v.string()), null),
}

/** What `run_all_validations` ends with. Of each kind the first issues are listed, errors first; `totals` counts all. */
export const ValidationOutcome = v.strictObject({
  ...looked,
  issues: v.strictObject(ofEachKind(issues)),
  totals: v.strictObject(ofEachKind(v.number())),
  /** What to do about the kinds that have issues. */
  hints: v.strictObject(v.partial(v.strictObject(ofEachKind(v.string()))).entries),
})
export type ValidationOutcome = v.InferOutput<typeof ValidationOutcome>

/** How one rule is kept. `passed` and `failed` count what it was asked about; `files` are the first that failed. */
const RuleCompliance = v.strictObject({
  rule: v.string(),
  severity: Severity,
  passed: v.number(),
  failed: v.number(),
  files: v.array(v.string()),
  hint: v.nullable(v.string()),
})
export type RuleCompliance = v.InferOutput<typeof RuleCompliance>

/** What `check_compliance` ends with. */
export const ComplianceOutcome = v.strictObject({
  ...looked,
  /** 100 where every rule is kept; see docs/tools.md. */
  score: v.number(),
  rules: v.array(RuleCompliance),
})
export type ComplianceOutcome = v.InferOutput<typeof ComplianceOutcome>
