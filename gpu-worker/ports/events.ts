import type { JobId } from '#shared/ids.ts'
import type { JobEvent, WorkspaceEvent } from '#shared/schemas/event.ts'

/** Tells whoever listens. Best effort: nothing depends on an event's arrival. */
export interface Events {
  job(event: JobEvent): void
  workspace(event: WorkspaceEvent): void
  /** Calls `onCancel` with each job that somebody asks to stop. */
  onCancel(onCancel: (job: JobId) => void): void
  /** Calls `onGap` each time that events may have been missed: the connection was lost and is there again. */
  onGap(onGap: () => void): void
}
