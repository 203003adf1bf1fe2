import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { jobChanged } from '#shared/schemas/event.ts'
import { openForRepairs } from '../auth/open-workspace.ts'
import type { AppPorts } from '../ports/edge-ports.ts'
import type { RegistryStore } from '../ports/registry.ts'
import { isWorkerConnected } from '../tools/ask-worker.ts'

/** What a sweep needs of the world. It runs beside the store. */
export type SweepPorts = Pick<AppPorts, 'bus' | 'workers' | 'clock'> & {
  readonly registry: Pick<RegistryStore, 'expireJobs' | 'listStale' | 'markPublished'>
}

/** A queued job that a connected, idle worker has not taken for this long has lost its message. */
export const STALE_MS = 30_000
/** Past its deadline by this much, a job's worker is not coming back with an outcome. */
const DEADLINE_GRACE_MS = 60_000
const BATCH_MAX = 50

/**
 * Repairs what crashes leave: publishes lost jobs again and fails those past their deadline. Harmless to repeat and to
 * run in several processes: of a job that is in the queue twice, the second claim finds it ended or gets the newer fence.
 */
export async function sweepJobs(ports: SweepPorts): Promise<{ published: number; expired: number }> {
  const { registry, bus, clock } = ports
  const expired = await registry.expireJobs(DEADLINE_GRACE_MS)
  for (const job of expired) bus.announce(job.workspace, jobChanged(job.job_id, 'failed'))

  const connected = new Map<WorkspaceId, boolean>()
  let published = 0
  for (const job of await registry.listStale(clock.now() - STALE_MS, BATCH_MAX)) {
    const isThere = connected.get(job.workspace) ?? (await hasWorker(ports, job.workspace))
    connected.set(job.workspace, isThere)
    // Without a worker the messages simply wait where they are.
    if (!isThere) continue
    try {
      await bus.publish(job.workspace, job.job_id, job.attempts + 1)
    } catch (error) {
      if (error instanceof AppError && (error.code === 'busy' || error.code === 'unavailable')) break
      throw error
    }
    await registry.markPublished(job.workspace, job.job_id)
    published++
  }
  return { published, expired: expired.length }
}

function hasWorker(ports: SweepPorts, workspace: WorkspaceId): Promise<boolean> {
  const asker = { caller: { subject: 'sweep' }, requestId: crypto.randomUUID(), signal: AbortSignal.timeout(5000) }
  return isWorkerConnected({ ...ports, workspace: openForRepairs(workspace) }, asker)
}
