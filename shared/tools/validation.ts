import * as v from 'valibot'
import {
  ComplianceOutcome,
  type IssueKind,
  issueKinds,
  type RepositoryIssue,
  ValidationOutcome,
} from '../schemas/validation.ts'
import { reads } from './define-tool.ts'
import { path } from './fields.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

const PATHS_MAX = 100
/** Issues of one kind that the text for a model shows. */
const TOLD_OF_KIND_MAX = 5
const FILES_TOLD_MAX = 3

const input = v.strictObject({
  paths: v.optional(v.pipe(v.array(path), v.minLength(1), v.maxLength(PATHS_MAX), v.description('Files or folders'))),
  ...jobEntries,
})

export const runAllValidations = defineJobTool({
  name: 'run_all_validations',
  family: 'checks',
  title: 'Validate the repository',
  description: 'Check all files by the rules: issues by kind, and where.',
  input,
  outcome: ValidationOutcome,
  annotations: reads,
  outcomeToText: (outcome) =>
    [verdictToText(outcome), ...issueKinds.flatMap((kind) => kindToText(kind, outcome)), ...restToText(outcome)].join(
      '\n',
    ),
})

export const checkCompliance = defineJobTool({
  name: 'check_compliance',
  family: 'improvement',
  title: 'Check compliance',
  description: 'Score the repository by its rules: per rule passed, failed, files.',
  input,
  outcome: ComplianceOutcome,
  annotations: reads,
  outcomeToText: (outcome) =>
    [
      `Score ${outcome.score} of 100. ${verdictToText(outcome)}`,
      ...outcome.rules.map(
        ({ rule, severity, passed, failed, files }) =>
          `- ${rule} (${severity}): ${passed} passed, ${failed} failed${failed === 0 ? '' : `: ${listToText(files, failed)}`}`,
      ),
      ...restToText(outcome),
    ].join('\n'),
})

type Looked = Pick<
  ValidationOutcome,
  'passed' | 'files_checked' | 'files_skipped' | 'skipped' | 'not_run' | 'incomplete' | 'sarif'
>

const verdictToText = ({ passed, files_checked, incomplete }: Looked): string =>
  `${passed ? 'Passed' : 'Failed'}: ${files_checked} files checked${incomplete === null ? '' : `, not all: ${incomplete}`}`

function kindToText(kind: IssueKind, { issues, totals, hints }: ValidationOutcome): string[] {
  if (totals[kind] === 0) return []
  const shown = issues[kind].slice(0, TOLD_OF_KIND_MAX)
  const hint = hints[kind]
  const more = totals[kind] - shown.length
  return [
    `${kind}: ${totals[kind]}${hint === undefined ? '' : ` (${hint})`}`,
    ...shown.map(issueToText),
    ...(more > 0 ? [`  [${more} more]`] : []),
  ]
}

const issueToText = ({ path: file, line, severity, message }: RepositoryIssue): string =>
  `  ${severity} ${file}${line === null ? '' : `:${line}`}: ${message}`

const listToText = (files: readonly string[], count: number): string =>
  `${files.slice(0, FILES_TOLD_MAX).join(', ')}${count > FILES_TOLD_MAX ? ', …' : ''}`

const restToText = ({ files_skipped, skipped, not_run, sarif }: Looked): string[] => [
  ...(files_skipped === 0
    ? []
    : [`Not checked: ${files_skipped} files (${skipped[0]?.path}: ${skipped[0]?.reason}, …)`]),
  ...(not_run.length === 0
    ? []
    : [`Did not run: ${not_run.map(({ rule, reason }) => `${rule} (${reason})`).join(', ')}`]),
  `All of it as SARIF: ${sarif}`,
]
