import type { JobId } from '#shared/ids.ts'

/** A job's message, held until one of the last two is called. Unconfirmed for JOB_ACK_WAIT_MS, it is delivered again. */
export interface DeliveredJob {
  readonly jobId: JobId
  /** Says that the work goes on. Call at least every third of that time. */
  working(): void
  /** The job has an outcome: the message goes. Safe to lose: a settled job's message is dropped when it comes back. */
  done(): Promise<void>
  /** Gives the message back, to be delivered again after the delay. */
  retry(delayMs: number): void
}

/** The durable queue of a workspace. A message may come twice; the registry's fence makes that harmless. */
export interface JobSource {
  /** The next job, or null when `signal` aborts. Waits through lost connections. */
  next(signal: AbortSignal): Promise<DeliveredJob | null>
}
