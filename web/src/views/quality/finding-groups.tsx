import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { counted, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import type { FindingGroup, Grouping } from './findings.ts'

const GROUPS_FIRST = 50
const FINDINGS_FIRST = 50

interface FindingGroupsProps {
  readonly groups: readonly FindingGroup[]
  readonly by: Grouping
  readonly about: ReadonlyMap<string, string>
}

/** Groups that open; only what is open is drawn. */
export function FindingGroups({ groups, by, about }: FindingGroupsProps) {
  const [shown, setShown] = useState(GROUPS_FIRST)
  return (
    <div className="finding-groups">
      {groups.slice(0, shown).map((group) => (
        <Group
          key={`${by} ${group.name}`}
          group={group}
          by={by}
          about={by === 'rule' ? about.get(group.name) : undefined}
        />
      ))}
      {groups.length > shown && (
        <Button onClick={() => setShown(shown + GROUPS_FIRST)}>Show more of {groups.length}</Button>
      )}
    </div>
  )
}

interface GroupProps {
  readonly group: FindingGroup
  readonly by: Grouping
  readonly about: string | undefined
}

function Group({ group: { name, errors, findings }, by, about }: GroupProps) {
  const [isOpen, setIsOpen] = useState(false)
  const [shown, setShown] = useState(FINDINGS_FIRST)
  const warnings = findings.length - errors
  return (
    <details className="finding-group" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        <span className="finding-group-name">
          {by === 'rule' ? toTitle(name) : <code>{name}</code>}
          {about !== undefined && about !== '' && <span className="soft">{about}</span>}
        </span>
        {errors > 0 && <span className="badge badge-error">{counted(errors, 'error')}</span>}
        {warnings > 0 && <span className="badge badge-warning">{counted(warnings, 'warning')}</span>}
      </summary>
      {isOpen && (
        <>
          <ul className="plain-list findings">
            {findings.slice(0, shown).map((finding) => (
              <li key={`${finding.rule} ${finding.path} ${finding.line} ${finding.message}`}>
                <span className={`badge badge-${finding.severity}`}>{finding.severity}</span>
                <span className="finding-text">
                  {by === 'rule' ? (
                    <a href={toHash('quality', 'file', finding.path)}>
                      {finding.path}
                      {finding.line === null ? '' : `:${finding.line}`}
                    </a>
                  ) : (
                    <strong>
                      {toTitle(finding.rule)}
                      {finding.line === null ? '' : `, line ${finding.line}`}
                    </strong>
                  )}
                  <span>{finding.message}</span>
                </span>
              </li>
            ))}
          </ul>
          <p className="finding-more">
            {by === 'file' && <a href={toHash('quality', 'file', name)}>Figures of this file</a>}
            {findings.length > shown && (
              <Button onClick={() => setShown(shown + FINDINGS_FIRST)}>Show more of {findings.length}</Button>
            )}
          </p>
        </>
      )}
    </details>
  )
}
