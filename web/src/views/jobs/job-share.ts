import type { JobProgress } from '#shared/schemas/job.ts'

/** How much of a job is done, from 0 to 1, where it says so: by its steps, or as in `Checked 12 of 40 files`. */
export function shareOf({ message, steps }: JobProgress): number | undefined {
  if (steps !== undefined && steps.length > 0) {
    return steps.filter(({ state }) => state !== 'planned' && state !== 'running').length / steps.length
  }
  const [, done, all] = /\b(\d+) of (\d+)\b/.exec(message) ?? []
  return done === undefined || all === undefined || Number(all) === 0 ? undefined : Number(done) / Number(all)
}
