import { useEffect, useEffectEvent, useState } from 'react'
import * as v from 'valibot'
import { isFinal, JOB_PROGRESS_META, JobProgress } from '#shared/schemas/job.ts'
import { getJob } from '#shared/tools/jobs.ts'
import type { Progress, ToolResult } from '../../api/tools.ts'
import { useServices } from '../../state/services.ts'

/** One question waits this long; a tab that is closed keeps the server busy no longer. */
const WAIT_SECONDS = 25
const RETRY_MS = 2000
const STEPS_MAX = 30

/** A phase that was seen; `id` numbers them. */
export type Step = JobProgress & { readonly id: number }

export interface FollowedJob {
  /** The phases that were seen, oldest first, each as it was last heard of. */
  readonly steps: readonly Step[]
  /** Why nothing is heard at the moment; null while it is. */
  readonly problem: unknown
}

const Whole = v.looseObject({ [JOB_PROGRESS_META]: JobProgress })

/** The whole of a job's progress, which the server sends beside the message; undefined from one that does not. */
function toJobProgress(progress: Progress & { readonly _meta?: unknown }): JobProgress | undefined {
  const parsed = v.safeParse(Whole, progress._meta)
  return parsed.success ? (parsed.output[JOB_PROGRESS_META] as JobProgress) : undefined
}

/** The steps with this news: another phase or round is another step, what is heard before the first one counts for none. */
export function addStep(steps: readonly Step[], news: JobProgress): readonly Step[] {
  const last = steps.at(-1)
  if (last?.phase === news.phase && last.round === news.round) return [...steps.slice(0, -1), { ...news, id: last.id }]
  return [...steps, { ...news, id: (last?.id ?? 0) + 1 }].slice(-STEPS_MAX)
}

/** Watches a job until it has ended, through lost connections too, and tells of its end once. */
export function useFollowJob(jobId: string, onEnd: (job: ToolResult<typeof getJob>) => void): FollowedJob {
  const { tools } = useServices()
  const [followed, setFollowed] = useState<FollowedJob>({ steps: [], problem: null })
  const ended = useEffectEvent(onEnd)
  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    const hear = (progress: JobProgress) => {
      if (!signal.aborted) setFollowed(({ steps }) => ({ steps: addStep(steps, progress), problem: null }))
    }
    async function follow(): Promise<void> {
      while (!signal.aborted) {
        try {
          const onProgress = (progress: Progress) => {
            const whole = toJobProgress(progress)
            if (whole !== undefined) hear(whole)
          }
          const args = { job_id: jobId, wait_seconds: WAIT_SECONDS }
          const job = await tools.call(getJob, args, { signal, onProgress })
          if (job.progress !== null) hear(job.progress)
          if (isFinal(job.state)) return void (signal.aborted || ended(job))
        } catch (problem) {
          if (signal.aborted) return
          setFollowed(({ steps }) => ({ steps, problem }))
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        }
      }
    }
    void follow()
    return () => abort.abort()
  }, [jobId, tools])
  return followed
}
