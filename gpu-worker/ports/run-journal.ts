/**
 * What a job of many steps remembers, so that a worker that was killed goes on where it was. Both kinds of record are JSON;
 * who reads them parses them.
 */
export interface RunJournal {
  /** The job's plan; undefined before there is one. */
  findRun(jobId: string): unknown
  /** Durable when it returns. Throws AppError `disk_full`. */
  keepRun(jobId: string, run: unknown): void
  /** What was kept of the job's steps, by position. */
  findSteps(jobId: string): ReadonlyMap<number, unknown>
  /** Durable when it returns. Throws AppError `disk_full`; what must not be lost for that is told with `keepStepLater`. */
  keepStep(jobId: string, position: number, step: unknown): void
  /** The same for what has happened already: on a full disk it is made durable when there is space. */
  keepStepLater(jobId: string, position: number, step: unknown): void
}
