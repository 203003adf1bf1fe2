import type { Finding } from './sarif-report.ts'

export interface FindingFilter {
  readonly severity: 'all' | 'error' | 'warning'
  /** Empty for every rule. */
  readonly rule: string
  /** Part of a path or of a message, in any case. */
  readonly text: string
}

export type Grouping = 'rule' | 'file'

export interface FindingGroup {
  readonly name: string
  readonly errors: number
  readonly findings: readonly Finding[]
}

export function filterFindings(findings: readonly Finding[], { severity, rule, text }: FindingFilter): Finding[] {
  const wanted = text.trim().toLowerCase()
  return findings.filter(
    (finding) =>
      (severity === 'all' || finding.severity === severity) &&
      (rule === '' || finding.rule === rule) &&
      (wanted === '' || `${finding.path} ${finding.message}`.toLowerCase().includes(wanted)),
  )
}

/** The groups with most errors first, then those with most findings. */
export function groupFindings(findings: readonly Finding[], by: Grouping): FindingGroup[] {
  const groups = Map.groupBy(findings, ({ rule, path }) => (by === 'rule' ? rule : path))
  return [...groups]
    .map(([name, found]) => ({
      name,
      findings: found,
      errors: found.filter(({ severity }) => severity === 'error').length,
    }))
    .toSorted(
      (one, other) =>
        other.errors - one.errors || other.findings.length - one.findings.length || (one.name < other.name ? -1 : 1),
    )
}
