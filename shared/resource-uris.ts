import type { JobId } from './ids.ts'

/** Address of what a job found in the whole repository, as SARIF. A tool's answer names it, and resources are read by it. */
export const JOB_SARIF_TEMPLATE = 'millwright://reports/jobs/{job_id}/sarif'

export const jobSarifUri = (job: JobId): string => JOB_SARIF_TEMPLATE.replace('{job_id}', job)
