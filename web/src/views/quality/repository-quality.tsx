import { useCallback, useState } from 'react'
import { checkCompliance, runAllValidations } from '#shared/tools/validation.ts'
import { Button } from '../../components/button.tsx'
import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { toCount, toMoment } from '../../components/words.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { useActiveJobs } from '../jobs/use-active-jobs.ts'
import { ActiveLook } from './active-look.tsx'
import { ComplexityPanel } from './complexity-panel.tsx'
import { FindingsPanel } from './findings-panel.tsx'
import { RulesPanel } from './rules-panel.tsx'
import { toTrend } from './trend.ts'
import { TrendPanel } from './trend-panel.tsx'
import { isLook, LOOKS_KEY, type Look, useLooks, useReport } from './use-looks.ts'
import { useRunLooks } from './use-run-looks.ts'

const tabs = [
  { name: 'findings', label: 'Findings' },
  { name: 'rules', label: 'Rules' },
  { name: 'complexity', label: 'Complexity' },
  { name: 'trend', label: 'Trend' },
] as const
type TabName = (typeof tabs)[number]['name']

export function RepositoryQuality() {
  const { queries } = useServices()
  const isSignedIn = useSignedIn()
  const [chosen, setChosen] = useState<TabName>('findings')
  const looks = useLooks()
  const run = useRunLooks()
  const renew = useCallback(() => void queries.invalidateQueries({ queryKey: LOOKS_KEY, exact: true }), [queries])
  const active = (useActiveJobs(renew).data ?? []).filter(isLook)
  const report = useReport(looks.data?.[0])

  if (!isSignedIn) {
    return (
      <Panel title="Quality">
        <EmptyState title="Authenticate to see what the repository's rules say" />
      </Panel>
    )
  }
  const [latest] = looks.data ?? []
  return (
    <>
      <Panel
        title="Quality"
        actions={
          <Button look="primary" busy={run.isPending || active.length > 0} onClick={() => run.mutate()}>
            {latest === undefined ? 'Run validations' : 'Run again'}
          </Button>
        }
      >
        <div className="stack">
          {looks.isPending && looks.error === null && <LoadingState>Looking for reports…</LoadingState>}
          {looks.error !== null && latest === undefined && (
            <ErrorState error={looks.error} onRetry={() => void looks.refetch()} />
          )}
          {run.error !== null && <ErrorState error={run.error} onRetry={() => run.mutate()} />}
          {looks.data?.length === 0 && active.length === 0 && (
            <EmptyState title="Nobody has looked at the repository yet">
              <p>A run checks every file by the rules of millwright.json, and measures how complex the code is.</p>
            </EmptyState>
          )}
          {latest !== undefined && <Summary looks={looks.data ?? []} latest={latest} />}
          {active.map(({ job_id }) => (
            <ActiveLook key={job_id} jobId={job_id} />
          ))}
        </div>
      </Panel>
      {latest !== undefined && (
        <section className="panel quality-tabs" aria-label="Report">
          <Tabs label="Parts of the report" tabs={tabs} chosen={chosen} onChoose={setChosen}>
            {chosen === 'rules' && <RulesPanel look={looks.data?.find(({ tool }) => tool === checkCompliance.name)} />}
            {chosen === 'trend' && <TrendPanel points={toTrend(looks.data ?? [])} />}
            {(chosen === 'findings' || chosen === 'complexity') && (
              <>
                {report.data === undefined && report.error === null && <LoadingState>Reading the report…</LoadingState>}
                {report.data === undefined && report.error !== null && (
                  <ErrorState error={report.error} onRetry={() => void report.refetch()} />
                )}
                {report.data !== undefined && chosen === 'findings' && <FindingsPanel report={report.data} />}
                {report.data !== undefined && chosen === 'complexity' && <ComplexityPanel files={report.data.files} />}
              </>
            )}
          </Tabs>
        </section>
      )}
    </>
  )
}

function Summary({ looks, latest }: { readonly looks: readonly Look[]; readonly latest: Look }) {
  const ofTool = (name: string) => toTrend(looks.filter(({ tool }) => tool === name)).at(-1)
  const validation = ofTool(runAllValidations.name)
  const compliance = ofTool(checkCompliance.name)
  const { incomplete, files_skipped, commit } = latest.result
  return (
    <>
      <Facts
        isLarge
        facts={[
          { name: 'Score of 100', value: compliance?.score ?? '–' },
          { name: 'Findings', value: validation?.findings === null ? '–' : toCount(validation?.findings ?? 0) },
          { name: 'Files checked', value: toCount(validation?.files ?? compliance?.files ?? 0) },
          { name: 'Files passed over', value: typeof files_skipped === 'number' ? toCount(files_skipped) : '–' },
        ]}
      />
      <p className="soft quality-note">
        As of {toMoment(latest.finished_at)}
        {typeof commit === 'string' && (
          <>
            , on commit <code>{commit.slice(0, 10)}</code> and what was changed since
          </>
        )}
        {typeof incomplete === 'string' && `. Not everything was looked at: ${incomplete}`}
      </p>
    </>
  )
}
