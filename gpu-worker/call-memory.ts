import { AppError } from '#shared/errors.ts'
import type { CallEnvelope } from '#shared/protocol/envelope.ts'

/** How often what can be forgotten is looked for. */
const PRUNE_MS = 10_000

export interface CallMemory {
  /** Throws `conflict` for a call that was there before: nobody but who records messages sends one twice. */
  refuseRepeat(call: Pick<CallEnvelope, 'id' | 'deadline'>): void
}

/**
 * Remembers each call until its deadline, after which it is refused anyway. So it holds what comes within the time of one
 * call, half a minute: some ten thousand ids on a busy machine.
 */
export function createCallMemory(now: () => number = Date.now): CallMemory {
  const deadlines = new Map<string, number>()
  let prunedAt = now()

  function prune(): void {
    if (now() - prunedAt < PRUNE_MS) return
    prunedAt = now()
    for (const [id, deadline] of deadlines) if (deadline < prunedAt) deadlines.delete(id)
  }

  return {
    refuseRepeat({ id, deadline }) {
      prune()
      if (deadlines.has(id)) {
        throw new AppError('conflict', 'Cannot take the call: it was taken before', {
          hint: 'Somebody on the message bus repeats messages; make a new call',
        })
      }
      deadlines.set(id, deadline)
    },
  }
}
