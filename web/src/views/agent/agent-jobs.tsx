import type { Job, JobState } from '#shared/schemas/job.ts'
import { getAgentInfo } from '#shared/tools/agents.ts'
import { cancelJob } from '#shared/tools/jobs.ts'
import { Button } from '../../components/button.tsx'
import { EmptyState, ErrorState } from '../../components/states.tsx'
import { type Light, StatusLight } from '../../components/status-light.tsx'
import { useChange } from '../../state/use-change.ts'
import { jobTitle } from './turns.ts'

const lights: Readonly<Record<JobState, Light>> = {
  queued: 'waiting',
  running: 'waiting',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'off',
}

/** The agent's latest jobs, newest first. */
export function AgentJobs({ jobs }: { readonly jobs: readonly Job[] }) {
  const cancel = useChange(cancelJob, { done: cancelJob.toText, outdates: [getAgentInfo] })
  if (jobs.length === 0) return <EmptyState title="The agent has had no jobs yet" />
  return (
    <>
      {cancel.error !== null && <ErrorState error={cancel.error} />}
      <ul className="plain-list agent-jobs" aria-label="Jobs, newest first">
        {jobs.map((job) => (
          <li key={job.job_id}>
            <span className="agent-jobs-what">
              <strong>{jobTitle(job.tool)}</strong>
              <code>{job.job_id}</code>
            </span>
            <StatusLight light={lights[job.state]}>{job.state}</StatusLight>
            <span className="soft">{timesOf(job)}</span>
            {(job.state === 'queued' || job.state === 'running') && (
              <Button
                look="quiet"
                aria-label={`Stop ${job.job_id}`}
                onClick={() => cancel.mutate({ job_id: job.job_id })}
              >
                Stop
              </Button>
            )}
            {job.error !== null && <span className="agent-jobs-error">{job.error.message}</span>}
          </li>
        ))}
      </ul>
    </>
  )
}

function timesOf({ created_at, started_at, finished_at }: Job): string {
  const at = new Date(created_at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  if (started_at === null || finished_at === null) return at
  return `${at}, took ${((Date.parse(finished_at) - Date.parse(started_at)) / 1000).toFixed(1)} s`
}
