import * as v from 'valibot'

const Diff = v.pipe(v.string(), v.includes('\n@@ '))
const WithDiff = v.object({ diff: Diff })
const WithResult = v.object({ result: WithDiff })
const Running = v.object({ job_id: v.string(), state: v.picklist(['queued', 'running']) })

/** The diff in a tool's answer, also where it is that of the job that it tells of. */
export function findDiff(fields: unknown): string | undefined {
  const own = v.safeParse(WithDiff, fields)
  if (own.success) return own.output.diff
  const ofJob = v.safeParse(WithResult, fields)
  return ofJob.success ? ofJob.output.result.diff : undefined
}

/** The job that goes on after the call has been answered. */
export function findRunningJob(fields: unknown): string | undefined {
  const running = v.safeParse(Running, fields)
  return running.success ? running.output.job_id : undefined
}

/** A time that passed, for people: 85 ms, 1.2 s, 2 min 5 s. */
export function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`
}
