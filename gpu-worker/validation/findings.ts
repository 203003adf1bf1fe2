import type { Severity, Violation } from '#shared/schemas/check.ts'
import type { Weight } from '../gates/severity.ts'

/** Something in the repository that a rule does not want. */
export interface RepositoryFinding {
  readonly rule: string
  readonly severity: Severity
  /** The file; of one that is missing, where it should be. */
  readonly path: string
  readonly line: number | null
  readonly column: number | null
  /** What is wrong and what to do. */
  readonly message: string
}

/** How the things that a rule was asked about came out: files, folders for READMEs, agents for ownership. */
export interface RuleTally {
  readonly rule: string
  readonly weight: Weight
  readonly passed: number
  readonly failed: number
  /** The first of those that failed, in order of path. */
  readonly files: readonly string[]
}

/** What a run found. Findings are the first of each rule, errors before warnings; `totals` counts all of them. */
export interface Findings {
  readonly findings: readonly RepositoryFinding[]
  readonly totals: ReadonlyMap<string, number>
  readonly tallies: readonly RuleTally[]
  readonly errorCount: number
}

export interface FindingCollector {
  /** What a rule says about one thing: nothing where it passed. */
  add(rule: string, weight: Weight, path: string, found: readonly Omit<Violation, 'rule'>[]): void
  finish(): Findings
}

/** More of one rule is a matter for its figures, not for a list. */
const KEPT_OF_RULE_MAX = 1000
const FILES_OF_RULE_MAX = 20

interface Kept {
  readonly weight: Weight
  readonly findings: RepositoryFinding[]
  readonly files: string[]
  total: number
  passed: number
  failed: number
  errors: number
}

/** Takes the verdicts of a run as they come, in any order, in bounded memory. */
export function createFindingCollector(): FindingCollector {
  const byRule = new Map<string, Kept>()
  return {
    add(rule, weight, path, found) {
      let kept = byRule.get(rule)
      if (kept === undefined) {
        kept = { weight, findings: [], files: [], total: 0, passed: 0, failed: 0, errors: 0 }
        byRule.set(rule, kept)
      }
      if (found.length === 0) {
        kept.passed++
        return
      }
      kept.failed++
      kept.total += found.length
      kept.errors += found.filter(({ severity }) => severity === 'error').length
      kept.files.push(path)
      for (const { severity, message, line, column } of found)
        kept.findings.push({ rule, severity, path, line, column, message })
      if (kept.findings.length > 2 * KEPT_OF_RULE_MAX) kept.findings.splice(0, Infinity, ...firstOf(kept.findings))
    },

    finish() {
      const rules = [...byRule]
      return {
        findings: rules.flatMap(([, { findings }]) => firstOf(findings)),
        totals: new Map(rules.map(([rule, { total }]) => [rule, total])),
        tallies: rules.map(([rule, { weight, passed, failed, files }]) => ({
          rule,
          weight,
          passed,
          failed,
          files: files.toSorted().slice(0, FILES_OF_RULE_MAX),
        })),
        errorCount: rules.reduce((sum, [, { errors }]) => sum + errors, 0),
      }
    },
  }
}

const firstOf = (findings: readonly RepositoryFinding[]): RepositoryFinding[] =>
  findings.toSorted(compare).slice(0, KEPT_OF_RULE_MAX)

function compare(one: RepositoryFinding, other: RepositoryFinding): number {
  if (one.severity !== other.severity) return one.severity === 'error' ? -1 : 1
  if (one.path !== other.path) return one.path < other.path ? -1 : 1
  return (one.line ?? 0) - (other.line ?? 0)
}
