import type { CodeIssue, Deduction } from '#shared/schemas/quality.ts'

const ERROR_POINTS = 20
const WARNING_POINTS = 5
/** However often a file does the same thing, it is one habit. */
const RULE_POINTS_MAX = 40

/**
 * A number to compare a text with itself, before and after: 100, less 20 for each error and 5 for each warning, at most
 * 40 for one rule; 0 for a text that does not parse.
 */
export function scoreOf(issues: readonly CodeIssue[]): { score: number; deductions: Deduction[] } {
  const byRule = Map.groupBy(issues, ({ rule }) => rule)
  const deductions = [...byRule].map(([rule, found]) => ({ rule, count: found.length, points: pointsOf(rule, found) }))
  deductions.sort((a, b) => b.points - a.points)
  const points = deductions.reduce((sum, each) => sum + each.points, 0)
  return { score: Math.max(0, 100 - points), deductions }
}

function pointsOf(rule: string, found: readonly CodeIssue[]): number {
  const isBroken = rule === 'syntax' && found.some(({ severity }) => severity === 'error')
  if (isBroken) return 100
  const points = found.reduce((sum, { severity }) => sum + (severity === 'error' ? ERROR_POINTS : WARNING_POINTS), 0)
  return Math.min(RULE_POINTS_MAX, points)
}
