import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Job } from '#shared/schemas/job.ts'
import { listJobs } from '#shared/tools/jobs.ts'
import { POLL_INTERVAL_MS, toolKey } from '../../api/queries.ts'
import { useServices } from '../../state/services.ts'
import { useEvents } from '../../state/use-events.ts'
import { useSignedIn } from '../../state/use-tool.ts'

const BUSY_MS = 2000
/** Of each state. */
const SHOWN_MAX = 50

/** The jobs at work and in the queue, first those at work. `onEnded` is told when one of them is no longer among them. */
export function useActiveJobs(onEnded: () => void) {
  const { tools, queries } = useServices()
  const queryKey = [...toolKey(listJobs), 'active']
  useEvents([], () => void queries.invalidateQueries({ queryKey }))
  const active = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const [running, queued] = await Promise.all(
        (['running', 'queued'] as const).map((state) => tools.call(listJobs, { state, limit: SHOWN_MAX }, { signal })),
      )
      return [...(running?.jobs ?? []), ...(queued?.jobs ?? []).toReversed()]
    },
    enabled: useSignedIn(),
    refetchInterval: ({ state: { data } }) => ((data?.length ?? 0) > 0 ? BUSY_MS : POLL_INTERVAL_MS / 4),
  })
  const before = useRef<readonly Job[]>([])
  useEffect(() => {
    const jobs = active.data ?? []
    const gone = before.current.some(({ job_id }) => !jobs.some((job) => job.job_id === job_id))
    before.current = jobs
    if (gone) onEnded()
  }, [active.data, onEnded])
  return active
}
