import type { Job } from '#shared/schemas/job.ts'
import { Button } from '../../components/button.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { jobLights } from './job-lights.ts'
import { JobProgressLine } from './job-progress-line.tsx'
import { workTime } from './job-words.ts'
import { useJob } from './use-job.ts'

interface LiveJobProps {
  readonly job: Job
  readonly onCancel: (job: Job) => void
}

export function LiveJob({ job: listed, onCancel }: LiveJobProps) {
  const { data, dataUpdatedAt } = useJob(listed.job_id)
  const job = data?.job ?? listed
  const title = toTitle(job.tool)
  return (
    <li className="live-job">
      <span className="job-name">
        <a href={toHash('jobs', job.job_id)}>{title}</a>
        {job.agent_id !== null && <a href={toHash('agents', job.agent_id)}>{job.agent_id}</a>}
      </span>
      <span className="soft live-job-time">{workTime(job, dataUpdatedAt) ?? ''}</span>
      <StatusLight light={jobLights[job.state]}>{job.state}</StatusLight>
      <Button look="quiet" aria-label={`Cancel ${title} ${job.agent_id ?? ''}`} onClick={() => onCancel(job)}>
        Cancel
      </Button>
      <JobProgressLine label={`Progress of ${title} ${job.agent_id ?? ''}`} progress={data?.progress ?? null} />
    </li>
  )
}
