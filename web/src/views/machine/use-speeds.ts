import { useQuery } from '@tanstack/react-query'
import * as v from 'valibot'
import { PAGE_MAX } from '#shared/protocol/limits.ts'
import { type Job, Usage } from '#shared/schemas/job.ts'
import { getJob, listJobs } from '#shared/tools/jobs.ts'
import { POLL_INTERVAL_MS } from '../../api/queries.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'

/** How fast the model wrote one answer. */
export interface Speed {
  readonly jobId: string
  /** When the job ended, in ms since the epoch. */
  readonly time: number
  readonly tokensPerSecond: number
}

/** Jobs that are asked for their cost: each is one short call, once. */
const JOBS_MAX = 60
const AT_ONCE = 4
const KEY = ['speeds'] as const

const WithUsage = v.object({ usage: Usage })

/** The speeds of the last answers, the oldest first: known of every job, so that a page that was just opened has them. */
export function useSpeeds() {
  const { tools, queries } = useServices()
  return useQuery({
    queryKey: KEY,
    enabled: useSignedIn(),
    refetchInterval: POLL_INTERVAL_MS,
    queryFn: async ({ signal }) => {
      const { jobs } = await tools.call(listJobs, { state: 'succeeded', limit: PAGE_MAX }, { signal })
      // Only what an agent does is written by a model, and the run over many files, which has the cost of all of them.
      const asked = jobs.filter(({ agent_id }) => agent_id !== null).slice(0, JOBS_MAX)
      const speeds: (Speed | null)[] = []
      for (let at = 0; at < asked.length; at += AT_ONCE) {
        const some = asked.slice(at, at + AT_ONCE).map((job) =>
          queries.fetchQuery({
            queryKey: [...KEY, job.job_id],
            queryFn: async () => toSpeed(job, (await tools.call(getJob, { job_id: job.job_id })).result),
            staleTime: Number.POSITIVE_INFINITY,
          }),
        )
        speeds.push(...(await Promise.all(some)))
      }
      return speeds.filter((speed) => speed !== null).toReversed()
    },
  })
}

function toSpeed({ job_id, finished_at }: Job, result: unknown): Speed | null {
  const parsed = v.safeParse(WithUsage, result)
  const tokensPerSecond = parsed.success ? parsed.output.usage.tokens_per_second : null
  if (tokensPerSecond === null || finished_at === null) return null
  return { jobId: job_id, time: Date.parse(finished_at), tokensPerSecond }
}
