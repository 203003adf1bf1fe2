import { useQuery } from '@tanstack/react-query'
import { PAGE_MAX } from '#shared/protocol/limits.ts'
import type { Job } from '#shared/schemas/job.ts'
import { getJob, listJobs } from '#shared/tools/jobs.ts'
import { checkCompliance, runAllValidations } from '#shared/tools/validation.ts'
import { POLL_INTERVAL_MS, toolKey } from '../../api/queries.ts'
import type { Tools } from '../../api/tools.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { parseReport } from './sarif-report.ts'
import type { EndedLook } from './trend.ts'

/** The worker keeps as many reports. */
const LOOKS_MAX = 30
/** Jobs of other tools between two looks, as far as anybody asks back. */
const PAGES_MAX = 5
/** Each is one short call. */
const AT_ONCE = 4

const lookTools: ReadonlySet<string> = new Set([runAllValidations.name, checkCompliance.name])

export const isLook = ({ tool }: Job): boolean => lookTools.has(tool)

export const LOOKS_KEY = ['looks'] as const

export interface Look extends EndedLook {
  readonly tool: string
  /** The address of all that it found. */
  readonly sarif: string
}

/** What validations have said, the newest first, as far as jobs are kept. */
export function useLooks() {
  const { tools, queries } = useServices()
  return useQuery({
    queryKey: LOOKS_KEY,
    enabled: useSignedIn(),
    refetchInterval: POLL_INTERVAL_MS,
    queryFn: async ({ signal }) => {
      const jobs = await findLooks(tools, signal)
      const looks: (Look | null)[] = []
      for (let at = 0; at < jobs.length; at += AT_ONCE) {
        const some = jobs.slice(at, at + AT_ONCE).map((job) =>
          queries.fetchQuery({
            queryKey: [...LOOKS_KEY, job.job_id],
            queryFn: () => readLook(tools, job),
            // What has ended does not change.
            staleTime: Number.POSITIVE_INFINITY,
          }),
        )
        looks.push(...(await Promise.all(some)))
      }
      return looks.filter((look) => look !== null)
    },
  })
}

async function findLooks(tools: Tools, signal: AbortSignal): Promise<Job[]> {
  const found: Job[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX && found.length < LOOKS_MAX; page++) {
    const args = { state: 'succeeded' as const, limit: PAGE_MAX, ...(cursor === null ? {} : { cursor }) }
    const answer: Awaited<ReturnType<typeof listPage>> = await listPage(tools, args, signal)
    found.push(...answer.jobs.filter(isLook))
    cursor = answer.next_cursor
    if (cursor === null) break
  }
  return found.slice(0, LOOKS_MAX)
}

const listPage = (tools: Tools, args: Parameters<typeof tools.call<typeof listJobs>>[1], signal: AbortSignal) =>
  tools.call(listJobs, args, { signal })

async function readLook(tools: Tools, { job_id, tool }: Job): Promise<Look | null> {
  const { result, job } = await tools.call(getJob, { job_id })
  if (result === null || job.finished_at === null || typeof result.sarif !== 'string') return null
  return { job_id, tool, finished_at: job.finished_at, result, sarif: result.sarif }
}

/** All that a look found. It does not change: asked for once. */
export function useReport(look: Look | undefined) {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  return useQuery({
    queryKey: ['report', toolKey(runAllValidations)[0], look?.sarif ?? ''],
    queryFn: async ({ signal }) => parseReport(await tools.readResource(look?.sarif ?? '', signal)),
    enabled: isSignedIn && look !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  })
}
