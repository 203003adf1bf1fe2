import * as v from 'valibot'
import type { WireError } from '../errors.ts'
import { Checks } from '../schemas/check.ts'
import { OrchestrationReport } from '../schemas/orchestration.ts'
import { checksToText, diffToText } from './fields.ts'
import { reportToText } from './orchestrate.ts'

/** A refusal's code, message and hint, as a model reads them. */
export const refusalLine = ({ code, message, hint }: WireError): string =>
  `${code}: ${message}${hint === undefined ? '' : `. ${hint}`}`

/** What is wrong with a template, one for each thing. */
const Problems = v.array(v.object({ where: v.string(), message: v.string() }))

/**
 * All of a refusal that helps to do better: its line, what is wrong, the checks that failed, the diff that was refused, and
 * of many steps what became of each.
 */
export function refusalToText(error: WireError): string {
  const lines = [refusalLine(error)]
  const problems = v.safeParse(Problems, error.details?.problems)
  // Of one thing that is wrong the message tells all.
  if (problems.success && problems.output.length > 1)
    lines.push(...problems.output.map(({ where, message }) => `- ${where}: ${message}`))
  const checks = v.safeParse(Checks, error.details?.checks)
  if (checks.success) lines.push(checksToText(checks.output))
  if (typeof error.details?.diff === 'string' && error.details.diff !== '') lines.push(diffToText(error.details.diff))
  const report = v.safeParse(OrchestrationReport, error.details?.report)
  if (report.success) lines.push(reportToText(report.output))
  return lines.join('\n')
}
