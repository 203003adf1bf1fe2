import { AppError } from '#shared/errors.ts'
import type { JobId } from '#shared/ids.ts'
import { isFinal, type JobProgress } from '#shared/schemas/job.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { JobRecord } from '../ports/registry.ts'

/** Events wake us; a lost one costs this much. */
const POLL_MS = 1000
/** Clients that wait for progress hear something at least every ten seconds. */
const SILENCE_MAX_MS = 8000

export interface WaitOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onProgress: ((progress: JobProgress) => void) | null
}

/**
 * Waits until a job has ended or the time is up; resolves with the job as it is then. Rejects with `cancelled` when the
 * signal aborts; the job goes on.
 */
export async function waitForJob(ports: EdgePorts, job: JobId, options: WaitOptions): Promise<JobRecord> {
  const { registry, bus, workspace, clock } = ports
  const { signal, onProgress } = options
  const until = clock.now() + options.timeoutMs
  let spokenAt = clock.now()
  let spoken = ''
  const speak = (progress: JobProgress) => {
    spokenAt = clock.now()
    spoken = JSON.stringify(progress)
    onProgress?.(progress)
  }
  // What was the latest when we began to listen may come as news as well.
  const speakOnce = (progress: JobProgress) => {
    if (JSON.stringify(progress) !== spoken) speak(progress)
  }

  // Listening comes first: an end between reading the row and listening would be missed.
  let wake = Promise.withResolvers<void>()
  const wakeUp = () => wake.resolve()
  const stopWatching = await bus.watch(workspace, job, (progress) =>
    progress === null ? wakeUp() : speakOnce(progress),
  )
  signal.addEventListener('abort', wakeUp, { once: true })
  try {
    const known = await bus.progress(workspace, job)
    if (known !== null && spoken === '') speak(known)
    for (;;) {
      if (signal.aborted) {
        throw new AppError('cancelled', `Cannot wait for job "${job}": the call was cancelled`)
      }
      wake = Promise.withResolvers<void>()
      const record = await registry.getJob(workspace, job)
      const leftMs = until - clock.now()
      if (isFinal(record.job.state) || leftMs <= 0) return record
      if (clock.now() - spokenAt >= SILENCE_MAX_MS) speak((await bus.progress(workspace, job)) ?? unheard(record))
      const timer = setTimeout(wakeUp, Math.min(leftMs, POLL_MS))
      await wake.promise
      clearTimeout(timer)
    }
  } finally {
    signal.removeEventListener('abort', wakeUp)
    stopWatching()
  }
}

function unheard({ job }: JobRecord): JobProgress {
  const message = job.state === 'queued' ? 'Waits for a worker' : 'Runs'
  return { phase: 'queued', round: 0, tokens: 0, message }
}
