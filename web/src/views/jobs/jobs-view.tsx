import type { ViewProps } from '../../routes.tsx'
import { JobPage } from './job-page.tsx'
import { JobsOverview } from './jobs-overview.tsx'
import './jobs.css'

/** `#/jobs` is all of them, `#/jobs/ID` one. */
export default function JobsView({ rest: [jobId] }: ViewProps) {
  return jobId === undefined ? <JobsOverview /> : <JobPage jobId={jobId} />
}
