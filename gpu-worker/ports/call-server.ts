import type { AppError } from '#shared/errors.ts'
import type { CallFamily } from '#shared/protocol/subjects.ts'

/**
 * Takes one message of a short call and returns the bytes of its reply. Never rejects. `refusal` is given for a message that is
 * not proven to be the edge's: it is answered with that, and nothing is done.
 */
export type CallHandler = (family: CallFamily, message: Uint8Array, refusal: AppError | null) => Promise<Uint8Array>

/** Where short calls come from. One worker per workspace answers them. */
export interface CallServer {
  /** Bytes that a reply may have. */
  readonly replyBytesMax: number
  serve(handler: CallHandler): Promise<void>
  /** Takes no more calls; those under way are answered. */
  stop(): Promise<void>
}
