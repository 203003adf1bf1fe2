import type { Job } from '#shared/schemas/job.ts'
import { toDuration } from '../../components/words.ts'

/** How long a job has been at work, until `now` where it is still; null before it began. */
export function workTime({ started_at, finished_at }: Job, now: number): string | null {
  if (started_at === null) return null
  const end = finished_at === null ? now : Date.parse(finished_at)
  return toDuration(Math.max(0, end - Date.parse(started_at)))
}

/** The address that events name when something about a job has changed. */
export const jobUri = (jobId: string): string => `millwright://reports/jobs/${jobId}`
