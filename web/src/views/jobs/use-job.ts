import { useQuery } from '@tanstack/react-query'
import { isFinal } from '#shared/schemas/job.ts'
import { getJob } from '#shared/tools/jobs.ts'
import { toolKey, toolQuery } from '../../api/queries.ts'
import { useServices } from '../../state/services.ts'
import { useEvents } from '../../state/use-events.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { jobUri } from './job-words.ts'

/** As often as a person wants to see that something moves. */
const LIVE_MS = 1500

/** A job, asked for again and again until it has ended. */
export function useJob(jobId: string) {
  const { tools, queries } = useServices()
  const args = { job_id: jobId }
  useEvents([jobUri(jobId)], () => void queries.invalidateQueries({ queryKey: toolKey(getJob, args) }))
  return useQuery({
    ...toolQuery(tools, getJob, args),
    enabled: useSignedIn(),
    refetchInterval: ({ state: { data } }) => (data !== undefined && isFinal(data.state) ? false : LIVE_MS),
  })
}
