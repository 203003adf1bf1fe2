import type { JobOutcome } from '#shared/schemas/job.ts'

/** Outcomes that the registry has not confirmed yet. Survive the worker, so that finished work is reported, not repeated. */
export interface JobJournal {
  /** Durable when it returns; on a full disk, when there is space. */
  keep(jobId: string, outcome: JobOutcome): void
  find(jobId: string): JobOutcome | undefined
  forget(jobId: string): void
}
