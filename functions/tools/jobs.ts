import { PAGE_DEFAULT } from '#shared/protocol/limits.ts'
import { isFinal, withoutTail } from '#shared/schemas/job.ts'
import { toPublicResult } from '../jobs/outcome.ts'
import { cancelJob } from '../jobs/submit.ts'
import { waitForJob } from '../jobs/wait.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { EdgeHandlers } from './call-context.ts'

export function createJobTools(ports: EdgePorts): EdgeHandlers<'list_jobs' | 'get_job' | 'cancel_job'> {
  const { registry, workspace, bus } = ports
  return {
    async list_jobs(input) {
      const page = await registry.listJobs(workspace, {
        state: input.state ?? null,
        agent: input.agent_id ?? null,
        cursor: input.cursor ?? null,
        limit: input.limit ?? PAGE_DEFAULT,
      })
      return { jobs: [...page.items], next_cursor: page.next_cursor }
    },

    async get_job({ job_id, wait_seconds }, context) {
      const timeoutMs = (wait_seconds ?? 0) * 1000
      const { job, result } =
        timeoutMs === 0
          ? await registry.getJob(workspace, job_id)
          : await waitForJob(ports, job_id, { timeoutMs, signal: context.signal, onProgress: context.onProgress })
      return {
        job,
        state: job.state,
        progress: isFinal(job.state) ? null : withoutTail(await bus.progress(workspace, job_id)),
        result: result === null ? null : toPublicResult(job.tool, result),
        error: job.error,
      }
    },

    async cancel_job({ job_id }) {
      return cancelJob(ports, job_id)
    },
  }
}
