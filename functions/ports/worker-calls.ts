import type { CallEnvelope, CallReply } from '#shared/protocol/envelope.ts'
import type { CallFamily } from '#shared/protocol/subjects.ts'

/** Short calls to the workspace's repository worker. */
export interface WorkerCalls {
  /**
   * Sends a call and waits for its reply until `timeoutMs`. Rejects with AppError: `worker_offline` at once where nobody
   * listens, `timeout`, `unavailable` where the bus cannot be reached, `too_large` before sending, `cancelled` when the
   * signal aborts (the worker may still finish the call), `internal` for a reply that cannot be read.
   */
  call(family: CallFamily, envelope: CallEnvelope, timeoutMs: number, signal?: AbortSignal): Promise<CallReply>
}
