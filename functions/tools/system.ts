import { AppError } from '#shared/errors.ts'
import * as limits from '#shared/protocol/limits.ts'
import { GetWorkerInfo } from '#shared/protocol/worker-calls.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { askWorker } from './ask-worker.ts'
import type { EdgeHandlers } from './call-context.ts'

const WORKER_INFO_TIMEOUT_MS = 2000

export function createSystemTools(ports: EdgePorts): EdgeHandlers<'get_server_info'> {
  return {
    async get_server_info(_input, context) {
      const worker = await askWorker(ports, GetWorkerInfo, {}, context, { timeoutMs: WORKER_INFO_TIMEOUT_MS }).catch(
        (error: unknown) => {
          if (error instanceof AppError && ['worker_offline', 'unavailable', 'timeout'].includes(error.code))
            return null
          throw error
        },
      )
      return {
        version: ports.version,
        workspace: ports.workspace,
        workers: worker === null ? [] : [worker],
        queue: await ports.registry.countJobs(ports.workspace),
        agents: await ports.registry.countAgents(ports.workspace),
        memory: { edge_bytes: ports.process.memoryBytes() },
        limits: {
          body_bytes_max: limits.BODY_BYTES_MAX,
          file_bytes_max: limits.FILE_BYTES_MAX,
          agents_max: limits.AGENTS_MAX,
          jobs_queued_max: limits.JOBS_QUEUED_MAX,
          call_timeout_ms: limits.CALL_TIMEOUT_MS,
          wait_seconds_max: limits.WAIT_SECONDS_MAX,
          job_deadline_ms: limits.JOB_DEADLINE_MS,
          lines_max_default: limits.LINES_MAX_DEFAULT,
        },
      }
    },
  }
}
