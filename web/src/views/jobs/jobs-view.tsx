import { JobPage } from './job-page.tsx'
import { JobsOverview } from './jobs-overview.tsx'
import './jobs.css'

/** `#/jobs` is all of them, `#/jobs/ID` one. */
export default function JobsView({ rest: [jobId] }: { readonly rest: readonly string[] }) {
  return jobId === undefined ? <JobsOverview /> : <JobPage jobId={jobId} />
}
