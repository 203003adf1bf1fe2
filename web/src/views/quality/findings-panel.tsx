import { useDeferredValue, useMemo, useState } from 'react'
import { EmptyState } from '../../components/states.tsx'
import { counted, toTitle } from '../../components/words.ts'
import { FindingGroups } from './finding-groups.tsx'
import { type FindingFilter, filterFindings, type Grouping, groupFindings } from './findings.ts'
import type { KeptReport } from './sarif-report.ts'

const everything: FindingFilter = { severity: 'all', rule: '', text: '' }

/** What is to be mended, by rule or by file. */
export function FindingsPanel({ report }: { readonly report: KeptReport }) {
  const { findings, notes, about } = report
  const [filter, setFilter] = useState(everything)
  const [by, setBy] = useState<Grouping>('rule')
  const wanted = useDeferredValue(filter)
  const found = useMemo(() => filterFindings(findings, wanted), [findings, wanted])
  const groups = useMemo(() => groupFindings(found, by), [found, by])
  const rules = useMemo(() => groupFindings(findings, 'rule'), [findings])
  const errors = found.filter(({ severity }) => severity === 'error').length
  return (
    <>
      <div className="row quality-filters">
        <select
          aria-label="Group by"
          value={by}
          onChange={(event) => setBy(event.target.value === 'file' ? 'file' : 'rule')}
        >
          <option value="rule">By rule</option>
          <option value="file">By file</option>
        </select>
        <select
          aria-label="Severity"
          value={filter.severity}
          onChange={(event) => setFilter({ ...filter, severity: event.target.value as FindingFilter['severity'] })}
        >
          <option value="all">Errors and warnings</option>
          <option value="error">Errors</option>
          <option value="warning">Warnings</option>
        </select>
        <select
          aria-label="Rule"
          value={filter.rule}
          onChange={(event) => setFilter({ ...filter, rule: event.target.value })}
        >
          <option value="">All rules</option>
          {rules.map(({ name, findings: ofRule }) => (
            <option key={name} value={name}>
              {toTitle(name)} ({ofRule.length})
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Search in paths and messages"
          placeholder="Search in paths and messages"
          value={filter.text}
          onChange={(event) => setFilter({ ...filter, text: event.target.value })}
        />
        <p className="soft" role="status">
          {counted(errors, 'error')}, {counted(found.length - errors, 'warning')}
        </p>
      </div>
      {findings.length === 0 && (
        <EmptyState title="Nothing to mend">
          <p>Every file that was checked keeps the rules.</p>
        </EmptyState>
      )}
      {findings.length > 0 && found.length === 0 && <EmptyState title="Nothing matches" />}
      <FindingGroups groups={groups} by={by} about={about} />
      {notes.length > 0 && (
        <details className="quality-notes">
          <summary>What was not looked at or is not listed ({notes.length})</summary>
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
