import type { FiguresOfFile } from './file-figures.ts'
import type { RepositoryFinding } from './findings.ts'
import type { RepositoryReport } from './repository-validation.ts'
import { ruleGuide } from './rule-guide.ts'

/** Results of one report: as many as services that read SARIF keep. */
const RESULTS_MAX = 5000
/** With the text around them, half of what one message to the edge carries, also where paths are long. */
const RESULT_CHARACTERS_MAX = 4_000_000
/** What a result takes beside its path and message. */
const RESULT_CHARACTERS_EACH = 250

/**
 * A report in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), for services and editors that read it.
 * `artifacts` has the largest files with their figures, for whoever draws a map of them. Paths are relative to the top of the repository (`%SRCROOT%`) and percent-encoded.
 */
export function toSarif(report: RepositoryReport, version: string) {
  const rules = [...new Set(report.findings.map(({ rule }) => rule))].toSorted()
  const results = firstThatFit(report.findings)
  const notes = notesOf(report, report.findings.length - results.length)
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0' as const,
    runs: [
      {
        tool: { driver: { name: 'Millwright', version, rules: rules.map(toRule) } },
        columnKind: 'utf16CodeUnits' as const,
        invocations: [
          {
            executionSuccessful: report.incomplete === null,
            toolExecutionNotifications: notes.map((text) => ({ level: 'warning' as const, message: { text } })),
          },
        ],
        artifacts: report.files.map(toArtifact),
        results: results.map((finding) => toResult(finding, rules.indexOf(finding.rule))),
      },
    ],
  }
}

function firstThatFit(findings: readonly RepositoryFinding[]): readonly RepositoryFinding[] {
  let room = RESULT_CHARACTERS_MAX
  const end = findings.findIndex(({ path, message }) => {
    // Each character of a path may become three bytes of three characters.
    room -= RESULT_CHARACTERS_EACH + 9 * path.length + message.length
    return room < 0
  })
  return findings.slice(0, Math.min(RESULTS_MAX, end === -1 ? RESULTS_MAX : end))
}

function toRule(id: string) {
  const guide = ruleGuide(id)
  return guide === null ? { id } : { id, shortDescription: { text: guide.about }, help: { text: guide.hint } }
}

function toResult({ rule, severity, path, line, column, message }: RepositoryFinding, ruleIndex: number) {
  const region =
    line === null ? {} : { region: { startLine: line, ...(column === null ? {} : { startColumn: column }) } }
  return {
    ruleId: rule,
    ruleIndex,
    level: severity,
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: toLocation(path), ...region } }],
  }
}

const toArtifact = ({ path, ...figures }: FiguresOfFile) => ({
  location: toLocation(path),
  roles: ['analysisTarget' as const],
  properties: figures,
})

const toLocation = (path: string) => ({
  uri: path.split('/').map(encodeURIComponent).join('/'),
  uriBaseId: '%SRCROOT%',
})

/** What was not looked at or is not listed: a reader shall not take silence for praise. */
function notesOf({ incomplete, filesSkipped, notRun, totals, findings }: RepositoryReport, cut: number): string[] {
  const total = [...totals.values()].reduce((sum, count) => sum + count, 0)
  const unlisted = total - findings.length + cut
  return [
    ...(incomplete === null ? [] : [`Not everything was looked at: ${incomplete}`]),
    ...(filesSkipped === 0 ? [] : [`${filesSkipped} files were not checked: too large, no text, protected or gone`]),
    ...(unlisted === 0 ? [] : [`${unlisted} further findings are not listed`]),
    ...notRun.map(({ rule, reason }) => `The rule ${rule} did not run: ${reason}`),
  ]
}
