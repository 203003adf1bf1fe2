import { listAgents } from '#shared/tools/agents.ts'
import { analyzeCodeQuality } from '#shared/tools/improvement.ts'
import { Button } from '../../components/button.tsx'
import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { counted, toBytes, toCount, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { useSignedIn, useTool } from '../../state/use-tool.ts'
import { FunctionTable } from './function-table.tsx'

/** The figures of one file: its score and what takes from it, its functions, what to mend. */
export function FileQuality({ path }: { readonly path: string }) {
  const isSignedIn = useSignedIn()
  const quality = useTool(analyzeCodeQuality, { path })
  const agents = useTool(listAgents, { query: path })
  const owner = agents.data?.agents.find(({ managed_file }) => managed_file === path)
  const report = quality.data
  return (
    <>
      <p className="back">
        <a href={toHash('quality')}>← All of the repository</a>
      </p>
      <Panel
        title={path}
        actions={
          <Button onClick={() => void quality.refetch()} busy={quality.isFetching}>
            Measure again
          </Button>
        }
      >
        <div className="stack">
          {!isSignedIn && <EmptyState title="Authenticate to see the figures of this file" />}
          {isSignedIn && quality.isPending && quality.error === null && (
            <LoadingState>Measuring, and looking for copies…</LoadingState>
          )}
          {quality.error !== null && report === undefined && (
            <ErrorState error={quality.error} onRetry={() => void quality.refetch()} />
          )}
          {report !== undefined && (
            <Facts
              isLarge
              facts={[
                { name: 'Score of 100', value: report.score },
                { name: 'Cognitive, worst function', value: report.complexity?.cognitive ?? '–' },
                { name: 'Cyclomatic, worst function', value: report.complexity?.cyclomatic ?? '–' },
                { name: 'Lines', value: toCount(report.size.lines) },
                { name: 'Copied lines', value: report.duplication === null ? '–' : `${report.duplication.percent}%` },
              ]}
            />
          )}
          {report !== undefined && (
            <p className="soft quality-note">
              {[
                report.language === null ? 'No language of which the code is measured' : toTitle(report.language),
                toBytes(report.size.bytes),
                ...(report.size.classes === null ? [] : [counted(report.size.classes, 'class', 'classes')]),
              ].join(' · ')}
              {owner === undefined ? (
                ' · no agent owns it'
              ) : (
                <>
                  {' · written by '}
                  <a href={toHash('agents', owner.agent_id)}>{owner.agent_id}</a>
                </>
              )}
              {' · '}
              <a href={toHash('repository', path)}>Show it in the repository</a>
            </p>
          )}
        </div>
      </Panel>
      {report !== undefined && report.deductions.length > 0 && (
        <Panel title="What takes from the score">
          <ul className="plain-list deductions">
            {report.deductions.map(({ rule, count, points }) => (
              <li key={rule}>
                <strong>−{points}</strong> {toTitle(rule)} <span className="soft">({toCount(count)})</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {report !== undefined && report.issues.length > 0 && (
        <Panel title={`To mend (${toCount(report.issues_total)})`}>
          <ul className="plain-list findings">
            {report.issues.map((issue) => (
              <li key={`${issue.rule} ${issue.line} ${issue.message}`}>
                <span className={`badge badge-${issue.severity}`}>{issue.severity}</span>
                <span className="finding-text">
                  <strong>
                    {toTitle(issue.rule)}
                    {issue.line === null ? '' : `, line ${issue.line}`}
                  </strong>
                  <span>{issue.message}</span>
                </span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {report?.complexity != null && report.complexity.functions.length > 0 && (
        <Panel title={`Functions (${toCount(report.complexity.functions.length)})`}>
          <FunctionTable functions={report.complexity.functions} />
        </Panel>
      )}
    </>
  )
}
