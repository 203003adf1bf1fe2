import type { CodeIssue, QualityReport } from '#shared/schemas/quality.ts'
import { missingDocsMessage } from '../gates/missing-docs.ts'
import type { FileCheck } from '../ports/file-checker.ts'

/** ESLint's default for `max-depth`. */
const NESTING_MAX = 4
/** SonarQube's default (rule S107). */
const PARAMETERS_MAX = 7

type Found = Pick<QualityReport, 'missing_docs' | 'missing_types' | 'unused_imports' | 'duplication'>

interface Language {
  /** What documents a name; null where nothing is asked for. */
  readonly docComment: string | null
  readonly isPython: boolean
}

/** Everything that is to be mended: what the gates found, and what only the analysis looks at. Errors first, then by line. */
export function issuesOf(check: FileCheck, found: Found, language: Language): CodeIssue[] {
  const gates = check.checks.violations.map(({ rule, severity, message, line }) => ({ rule, severity, message, line }))
  const said = new Set(check.checks.ran)
  const all = [...gates, ...functionIssues(check), ...foundIssues(found, language, said)]
  const weight = ({ severity }: CodeIssue): number => (severity === 'error' ? 0 : 1)
  return all.sort((a, b) => weight(a) - weight(b) || (a.line ?? 0) - (b.line ?? 0))
}

const warning = (rule: string, line: number, message: string): CodeIssue => ({
  rule,
  severity: 'warning',
  message,
  line,
})

function* functionIssues({ complexity }: FileCheck): Generator<CodeIssue> {
  for (const { name, line, nesting, parameters } of complexity?.functions ?? []) {
    if (nesting > NESTING_MAX) {
      const advice = 'return early, or move the inner part into a function of its own'
      yield warning('nesting', line, `\`${name}\` is ${nesting} levels deep, limit ${NESTING_MAX}: ${advice}`)
    }
    if (parameters > PARAMETERS_MAX) {
      const advice = 'put those that belong together into one'
      yield warning(
        'parameters',
        line,
        `\`${name}\` takes ${parameters} parameters, limit ${PARAMETERS_MAX}: ${advice}`,
      )
    }
  }
}

function* foundIssues(
  found: Found,
  { docComment, isPython }: Language,
  said: ReadonlySet<string>,
): Generator<CodeIssue> {
  // Where the repository asks for documentation, the gate has said it already, and with the repository's severity.
  for (const { name, line } of said.has('missing_docs') ? [] : (found.missing_docs ?? [])) {
    yield warning('missing_docs', line, missingDocsMessage(name, docComment ?? 'a comment'))
  }
  for (const { name, line, parameters, returns } of found.missing_types ?? []) {
    const what = [
      ...(parameters.length > 0 ? [`of ${parameters.join(', ')}`] : []),
      ...(returns ? ['of what it returns'] : []),
    ]
    yield warning('missing_types', line, `\`${name}\` leaves out the type ${what.join(' and ')}: add it`)
  }
  for (const { name, line } of found.unused_imports ?? []) {
    const advice = isPython ? 'remove the import, or name it in `__all__` where it is for others' : 'remove the import'
    yield warning('unused_import', line, `\`${name}\` is imported and not used: ${advice}`)
  }
  for (const { path, line, end_line, other_line, other_end_line } of found.duplication?.copies ?? []) {
    const place = `${path === null ? 'lines' : `${path}, lines`} ${other_line} to ${other_end_line}`
    yield warning(
      'duplication',
      line,
      `Lines ${line} to ${end_line} are those of ${place}: keep one and use it from both places`,
    )
  }
}
