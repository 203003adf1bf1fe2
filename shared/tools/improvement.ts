import * as v from 'valibot'
import { MeasuredLanguage, QualityReport } from '../schemas/quality.ts'
import { defineTool, reads } from './define-tool.ts'
import { fileContent, path } from './fields.ts'

/** Functions that the text for a model names. */
const FUNCTIONS_TOLD_MAX = 10

export const analyzeCodeQuality = defineTool({
  name: 'analyze_code_quality',
  family: 'improvement',
  place: 'worker',
  core: false,
  title: 'Analyze code quality',
  description:
    'Measure a file or content: complexity per function, size, duplication in the repository, missing docs and types, unused imports, score of 100.',
  input: v.pipe(
    v.strictObject({
      path: v.optional(path),
      content: v.optional(fileContent),
      language: v.optional(MeasuredLanguage),
    }),
    v.check((input) => (input.path === undefined) !== (input.content === undefined), 'give either path or content'),
    v.check((input) => input.path === undefined || input.language === undefined, 'language goes with content'),
  ),
  output: QualityReport,
  annotations: reads,
  toText: (report) =>
    [
      `${report.path ?? 'content'}${report.language === null ? '' : ` (${report.language})`}: score ${report.score} of 100`,
      ...report.deductions.map(({ rule, count, points }) => `  -${points} ${rule} (${count})`),
      sizeToText(report.size),
      ...(report.complexity === null ? [] : complexityToText(report.complexity)),
      ...(report.duplication === null ? [] : [duplicationToText(report.duplication)]),
      ...report.issues.map(
        ({ rule, severity, message, line }) =>
          `- ${severity} ${rule}${line === null ? '' : ` (line ${line})`}: ${message}`,
      ),
      ...(report.issues_total > report.issues.length ? [`[${report.issues_total} issues in all]`] : []),
      ...report.skipped.map(({ rule, reason }) => `- not measured ${rule}: ${reason}`),
    ].join('\n'),
})

function sizeToText({ bytes, lines, code_lines, comment_lines, blank_lines }: QualityReport['size']): string {
  const kinds =
    code_lines === null ? `${blank_lines} blank` : `${code_lines} code, ${comment_lines} comment, ${blank_lines} blank`
  return `Size: ${lines} lines (${kinds}), ${bytes} bytes`
}

function complexityToText({ cyclomatic, cognitive, functions }: NonNullable<QualityReport['complexity']>): string[] {
  const worst = functions.toSorted((a, b) => b.cognitive - a.cognitive || b.cyclomatic - a.cyclomatic)
  return [
    `Complexity: cyclomatic ${cyclomatic}, cognitive ${cognitive}, ${functions.length} functions`,
    ...worst
      .slice(0, FUNCTIONS_TOLD_MAX)
      .map(
        (each) =>
          `  ${each.name} (line ${each.line}): cyclomatic ${each.cyclomatic}, cognitive ${each.cognitive}, nesting ${each.nesting}, ${each.parameters} parameters, ${each.lines} lines`,
      ),
  ]
}

function duplicationToText(found: NonNullable<QualityReport['duplication']>): string {
  const left = found.files_left > 0 ? `, ${found.files_left} not yet: ask again` : ''
  const skipped = found.files_skipped > 0 ? `, ${found.files_skipped} skipped` : ''
  return `Duplication: ${found.lines} lines (${found.percent}%), compared with ${found.files_compared} files${left}${skipped}`
}
