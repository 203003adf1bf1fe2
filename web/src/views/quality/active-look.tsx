import { toTitle } from '../../components/words.ts'
import { JobProgressLine } from '../jobs/job-progress-line.tsx'
import { useJob } from '../jobs/use-job.ts'

/** A validation that is at work, or waits for its turn. */
export function ActiveLook({ jobId }: { readonly jobId: string }) {
  const { data } = useJob(jobId)
  if (data === undefined) return null
  return <JobProgressLine label={toTitle(data.job.tool)} progress={data.progress} />
}
