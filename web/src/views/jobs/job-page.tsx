import { useState } from 'react'
import { isFinal } from '#shared/schemas/job.ts'
import { Button } from '../../components/button.tsx'
import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { toMoment, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { CancelDialog } from './cancel-dialog.tsx'
import { jobLights } from './job-lights.ts'
import { JobProgressLine } from './job-progress-line.tsx'
import { JobRefusal } from './job-refusal.tsx'
import { JobResult } from './job-result.tsx'
import { JobSteps } from './job-steps.tsx'
import { workTime } from './job-words.ts'
import { UndoDialog } from './undo-dialog.tsx'
import { useJob } from './use-job.ts'

/** All that is known of one job. */
export function JobPage({ jobId }: { readonly jobId: string }) {
  const isSignedIn = useSignedIn()
  const [asked, setAsked] = useState<'cancel' | 'undo'>()
  const { data, error, isPending, refetch, dataUpdatedAt } = useJob(jobId)
  const job = data?.job
  const agentId = job?.agent_id ?? null
  const canUndo = agentId !== null && job?.state === 'succeeded' && data?.result?.changed === true
  return (
    <>
      <p className="back">
        <a href={toHash('jobs')}>← All jobs</a>
      </p>
      <Panel
        title={job === undefined ? 'Job' : toTitle(job.tool)}
        actions={
          <>
            {job !== undefined && !isFinal(job.state) && (
              <Button look="danger" onClick={() => setAsked('cancel')}>
                Cancel
              </Button>
            )}
            {canUndo && <Button onClick={() => setAsked('undo')}>Take it back</Button>}
          </>
        }
      >
        <div className="stack">
          {!isSignedIn && <EmptyState title="Authenticate to see this job" />}
          {isSignedIn && isPending && error === null && <LoadingState>Loading the job…</LoadingState>}
          {error !== null && data === undefined && <ErrorState error={error} onRetry={() => void refetch()} />}
          {job !== undefined && (
            <Facts
              facts={[
                { name: 'State', value: <StatusLight light={jobLights[job.state]}>{job.state}</StatusLight> },
                {
                  name: 'Agent',
                  value: agentId === null ? 'none' : <a href={toHash('agents', agentId)}>{agentId}</a>,
                },
                { name: 'Asked for', value: toMoment(job.created_at) },
                { name: 'At work', value: workTime(job, dataUpdatedAt) ?? 'not yet' },
                { name: 'Ended', value: job.finished_at === null ? 'not yet' : toMoment(job.finished_at) },
                { name: 'Id', value: <code>{job.job_id}</code> },
              ]}
            />
          )}
          {data !== undefined && !isFinal(data.state) && (
            <>
              <JobProgressLine label="Progress" progress={data.progress} />
              <JobSteps steps={data.progress?.steps ?? []} />
            </>
          )}
        </div>
      </Panel>
      {data?.error != null && <JobRefusal error={data.error} />}
      {job !== undefined && data?.result != null && <JobResult tool={job.tool} result={data.result} />}
      {asked === 'cancel' && job !== undefined && <CancelDialog job={job} onClose={() => setAsked(undefined)} />}
      {asked === 'undo' && agentId !== null && (
        <UndoDialog jobId={jobId} agentId={agentId} onClose={() => setAsked(undefined)} />
      )}
    </>
  )
}
