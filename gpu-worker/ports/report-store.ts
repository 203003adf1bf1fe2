import type { JobId } from '#shared/ids.ts'

/** Reports of jobs that are too long for an answer, outside the repository. */
export interface ReportStore {
  /** Replaces what the job had. The reports of the oldest jobs go. Rejects with `disk_full` or `unavailable`. */
  keep(job: JobId, text: string): Promise<void>
  /** Rejects with `not_found` for a job that has none, or has none any more. */
  read(job: JobId): Promise<string>
}
