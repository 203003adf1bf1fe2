import { useCallback, useState } from 'react'
import type { Job } from '#shared/schemas/job.ts'
import { listJobs } from '#shared/tools/jobs.ts'
import { toolKey } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { counted } from '../../components/words.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { CancelDialog } from './cancel-dialog.tsx'
import { JobHistory } from './job-history.tsx'
import { LiveJob } from './live-job.tsx'
import { useActiveJobs } from './use-active-jobs.ts'

/** What is at work and what waits, then what has ended. */
export function JobsOverview() {
  const { queries } = useServices()
  const isSignedIn = useSignedIn()
  const [cancelled, setCancelled] = useState<Job>()
  const renew = useCallback(
    () => void queries.invalidateQueries({ queryKey: [...toolKey(listJobs), 'pages'] }),
    [queries],
  )
  const active = useActiveJobs(renew)
  const jobs = active.data ?? []
  const queued = jobs.filter(({ state }) => state === 'queued').length
  return (
    <>
      <Panel
        title="At work and waiting"
        actions={
          <p className="soft jobs-count" role="status">
            {active.data === undefined ? '' : `${jobs.length - queued} at work, ${queued} waiting`}
          </p>
        }
      >
        {!isSignedIn && <EmptyState title="Authenticate to see the jobs" />}
        {isSignedIn && active.isPending && active.error === null && <LoadingState>Loading jobs…</LoadingState>}
        {active.error !== null && active.data === undefined && (
          <ErrorState error={active.error} onRetry={() => void active.refetch()} />
        )}
        {active.data?.length === 0 && (
          <EmptyState title="Nothing is at work">
            <p>A task for an agent, a validation or a test run is a job, and shows here while it lasts.</p>
          </EmptyState>
        )}
        {jobs.length > 0 && (
          <ul className="plain-list live-jobs" aria-label={counted(jobs.length, 'job')}>
            {jobs.map((job) => (
              <LiveJob key={job.job_id} job={job} onCancel={setCancelled} />
            ))}
          </ul>
        )}
      </Panel>
      <JobHistory />
      {cancelled !== undefined && <CancelDialog job={cancelled} onClose={() => setCancelled(undefined)} />}
    </>
  )
}
