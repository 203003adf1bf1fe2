import type { JobId, WorkspaceId } from '#shared/ids.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { JobProgress } from '#shared/schemas/job.ts'

/** What a watcher hears: progress, or (null) that the job's row is worth reading again. */
export type JobListener = (progress: JobProgress | null) => void

/** What a watcher of a workspace hears: an event, or (null) that some may have been missed, and all is worth reading again. */
export type WorkspaceListener = (event: WorkspaceEvent | null) => void

/** Durable hand-over of jobs to workers, and what is heard of them. The registry is the truth; this only wakes. */
export interface JobBus {
  /**
   * Puts a job into the workspace's queue. Resolves once it is stored. `attempt` counts from 1; the same attempt twice is
   * stored once. Rejects with AppError: `busy` with `details.retry_after_ms` where the queue is full, else `unavailable`.
   */
  publish(workspace: WorkspaceId, job: JobId, attempt: number): Promise<void>
  /** Asks whoever runs the job to stop. Best effort: the row says so too. */
  requestCancel(workspace: WorkspaceId, job: JobId): void
  /** Tells whoever shows the workspace that something changed. Best effort. */
  announce(workspace: WorkspaceId, event: WorkspaceEvent): void
  /**
   * Hears of one job, from when it resolves until the function that it gives is called. Never rejects. Not every event
   * arrives: read the row too. What cannot be heard now is heard as soon as it can, null first.
   */
  watch(workspace: WorkspaceId, job: JobId, listener: JobListener): Promise<() => void>
  /**
   * Hears what changes in a workspace, and the progress of its jobs, from when it resolves until the function that it gives
   * is called. Never rejects. Not every event arrives; after a time in which none could, null does.
   */
  watchWorkspace(workspace: WorkspaceId, listener: WorkspaceListener): Promise<() => void>
  /** The last progress that was heard of a job that has not ended, or null. Never rejects. */
  progress(workspace: WorkspaceId, job: JobId): Promise<JobProgress | null>
  /** Whether the bus answers within a second. */
  ping(): Promise<boolean>
}
