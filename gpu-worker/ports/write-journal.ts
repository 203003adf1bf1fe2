import type { RepositoryPath } from '../workspace/repository-path.ts'

export interface WriteIntent {
  readonly path: RepositoryPath
  /** What is there before; null where there is nothing. */
  readonly beforeSha256: string | null
  /** What will be there after; null for a removal. */
  readonly afterSha256: string | null
  /** Git blob of the bytes before, for undoing; null where there was nothing. */
  readonly blob: string | null
  readonly jobId: string | null
  /** The agent as which the file was written; null where none was named. */
  readonly agentId: string | null
  /** What the job will answer once the write has landed; null outside jobs. */
  readonly outcome: Readonly<Record<string, unknown>> | null
}

/**
 * Remembers each write before it happens, durably, so that a worker that was killed knows afterwards whether it landed.
 * Without it a job that comes back after a crash would be done a second time on its own result.
 */
export interface WriteJournal {
  /** Durable when it returns. Throws AppError `disk_full`; the write must then not be made. */
  begin(intent: WriteIntent): number
  /** On a full disk it is remembered, and made durable when there is space. */
  end(id: number, how: 'landed' | 'dropped'): void
  /** The last landed write of each path, oldest first. */
  lastWrites(): readonly WriteIntent[]
  /** The landed writes of a path, oldest first. */
  writesTo(path: RepositoryPath): readonly WriteIntent[]
  /** The landed writes of a job, oldest first. */
  writesOf(jobId: string): readonly WriteIntent[]
}
