import {
  type ComplianceOutcome,
  type IssueKind,
  issueKindOf,
  issueKinds,
  type RepositoryIssue,
  type RuleCompliance,
  type ValidationOutcome,
} from '#shared/schemas/validation.ts'
import type { RuleTally } from './findings.ts'
import type { RepositoryReport } from './repository-validation.ts'
import { ruleGuide } from './rule-guide.ts'

/** Of each kind: what a caller reads before it mends some. The rest is in the SARIF report. */
const ISSUES_OF_KIND_MAX = 20

/** Where all of the report is kept, and the commit that the work tree was based on; null before the first. */
export interface ReportPlace {
  readonly sarif: string
  readonly commit: string | null
}

/** A report by kind of issue, each kind cut to what is worth reading at once. */
export function toValidationOutcome(report: RepositoryReport, { sarif, commit }: ReportPlace): ValidationOutcome {
  const issues = byKind((): RepositoryIssue[] => [])
  const totals = byKind(() => 0)
  const hints: Partial<Record<IssueKind, string>> = {}
  for (const [rule, total] of report.totals) {
    const kind = issueKindOf(rule)
    if (kind === null || total === 0) continue
    totals[kind] += total
    const hint = ruleGuide(rule)?.hint
    if (hint !== undefined) hints[kind] = hint
  }
  for (const { rule, path, line, severity, message } of report.findings) {
    const kind = issueKindOf(rule)
    if (kind !== null && issues[kind].length < ISSUES_OF_KIND_MAX) issues[kind].push({ path, line, severity, message })
  }
  return { ...toLooked(report, { sarif, commit }), issues, totals, hints }
}

/** A report by rule. The rules that are kept worst come first. */
export function toComplianceOutcome(report: RepositoryReport, { sarif, commit }: ReportPlace): ComplianceOutcome {
  const rules = report.tallies.filter(({ passed, failed }) => passed + failed > 0).map(toCompliance)
  const share = ({ passed, failed }: RuleCompliance): number => passed / (passed + failed)
  return {
    ...toLooked(report, { sarif, commit }),
    score: scoreOf(rules),
    rules: rules.toSorted((one, other) => share(one) - share(other) || (one.rule < other.rule ? -1 : 1)),
  }
}

/**
 * The share of what passed, rule by rule, a required rule counting twice. Rounded down to tenths, so that 100 means that
 * nothing failed; 100 as well where nothing was asked.
 */
export function scoreOf(rules: readonly Pick<RuleCompliance, 'severity' | 'passed' | 'failed'>[]): number {
  let sum = 0
  let weights = 0
  for (const { severity, passed, failed } of rules) {
    const weight = severity === 'error' ? 2 : 1
    sum += (weight * passed) / (passed + failed)
    weights += weight
  }
  return weights === 0 ? 100 : Math.floor((1000 * sum) / weights) / 10
}

function toCompliance({ rule, weight, passed, failed, files }: RuleTally): RuleCompliance {
  const severity = weight === 'error' ? 'error' : 'warning'
  return {
    rule,
    severity,
    passed,
    failed,
    files: [...files],
    hint: failed === 0 ? null : (ruleGuide(rule)?.hint ?? null),
  }
}

const toLooked = (report: RepositoryReport, { sarif, commit }: ReportPlace) => ({
  passed: report.passed,
  files_checked: report.filesChecked,
  files_skipped: report.filesSkipped,
  skipped: report.skipped.map((each) => ({ ...each })),
  not_run: report.notRun.map((each) => ({ ...each })),
  incomplete: report.incomplete,
  sarif,
  commit,
})

function byKind<T>(make: () => T): Record<IssueKind, T> {
  return Object.fromEntries(issueKinds.map((kind) => [kind, make()])) as Record<IssueKind, T>
}
