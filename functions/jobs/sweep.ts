import { AppError } from '#shared/errors.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { openForRepairs } from '../auth/open-workspace.ts'
import type { AppPorts, OpenWorkspace } from '../ports/edge-ports.ts'
import { isWorkerConnected } from '../tools/ask-worker.ts'

/** A queued job that a connected, idle worker has not taken for this long has lost its message. */
export const STALE_MS = 30_000
/** Past its deadline by this much, a job's worker is not coming back with an outcome. */
const DEADLINE_GRACE_MS = 60_000
const BATCH_MAX = 50

/**
 * Repairs what crashes leave: publishes lost jobs again and fails those past their deadline. Harmless to repeat and to
 * run in several processes: of a job that is in the queue twice, the second claim finds it ended or gets the newer fence.
 */
export async function sweepJobs(ports: AppPorts): Promise<{ published: number; expired: number }> {
  const { registry, bus, clock } = ports
  const expired = await registry.expireJobs(DEADLINE_GRACE_MS)
  for (const job of expired) {
    bus.announce(job.workspace, { v: WIRE_VERSION, type: 'job_changed', job_id: job.job_id, state: 'failed' })
  }

  const stale = await registry.listStale(clock.now() - STALE_MS, BATCH_MAX)
  const served = new Set<string>()
  for (const workspace of new Set(stale.map((job) => openForRepairs(job.workspace)))) {
    if (await isServed(ports, workspace)) served.add(workspace)
  }
  let published = 0
  for (const job of stale) {
    // Without a worker the messages simply wait where they are.
    if (!served.has(job.workspace)) continue
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

function isServed(ports: AppPorts, workspace: OpenWorkspace): Promise<boolean> {
  const asker = { caller: { subject: 'sweep' }, requestId: crypto.randomUUID(), signal: AbortSignal.timeout(5000) }
  return isWorkerConnected({ ...ports, workspace }, asker)
}
