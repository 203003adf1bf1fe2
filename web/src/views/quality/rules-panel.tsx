import * as v from 'valibot'
import { ComplianceOutcome, type RuleCompliance } from '#shared/schemas/validation.ts'
import { EmptyState } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'
import { toCount, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import type { Look } from './use-looks.ts'

const FILES_SHOWN = 3

/** How each rule is kept: what passed and what failed. */
export function RulesPanel({ look }: { readonly look: Look | undefined }) {
  const outcome = v.safeParse(ComplianceOutcome, look?.result)
  if (!outcome.success) {
    return (
      <EmptyState title="There is no score yet">
        <p>Run the validations from here, and each rule is counted: findings alone make no score.</p>
      </EmptyState>
    )
  }
  return (
    <>
      <Table
        caption="How each rule is kept, the worst first"
        rows={outcome.output.rules}
        keyOf={({ rule }) => rule}
        columns={[
          { title: 'Rule', cell: (rule) => <RuleName rule={rule} /> },
          { title: 'Kept', cell: (rule) => <Share rule={rule} /> },
          { title: 'Passed', isNumber: true, isWideOnly: true, cell: ({ passed }) => toCount(passed) },
          { title: 'Failed', isNumber: true, cell: ({ failed }) => toCount(failed) },
          { title: 'First files', isWideOnly: true, cell: (rule) => <Files rule={rule} /> },
        ]}
      />
      {outcome.output.not_run.length > 0 && (
        <details className="quality-notes">
          <summary>Rules that did not run ({outcome.output.not_run.length})</summary>
          <ul>
            {outcome.output.not_run.map(({ rule, reason }) => (
              <li key={rule}>
                {toTitle(rule)}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

const RuleName = ({ rule: { rule, severity, hint } }: { readonly rule: RuleCompliance }) => (
  <span className="rule-name">
    {toTitle(rule)}
    <span className="soft">
      {severity === 'error' ? 'Required' : 'Advised'}
      {hint !== null && `. ${hint}`}
    </span>
  </span>
)

function Share({ rule: { rule, passed, failed } }: { readonly rule: RuleCompliance }) {
  const share = passed / (passed + failed)
  return (
    <span className="rule-share">
      <meter aria-label={`${toTitle(rule)} kept`} value={share} />
      {Math.floor(share * 1000) / 10}%
    </span>
  )
}

const Files = ({ rule: { files, failed } }: { readonly rule: RuleCompliance }) => (
  <ul className="plain-list">
    {files.slice(0, FILES_SHOWN).map((path) => (
      <li key={path}>
        <a href={toHash('quality', 'file', path)}>{path}</a>
      </li>
    ))}
    {failed > FILES_SHOWN && <li className="soft">and {toCount(failed - FILES_SHOWN)} more</li>}
  </ul>
)
