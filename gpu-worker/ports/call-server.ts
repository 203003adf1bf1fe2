import type { CallFamily } from '#shared/protocol/subjects.ts'

/** Takes one message of a short call and returns the bytes of its reply. Never rejects. */
export type CallHandler = (family: CallFamily, message: Uint8Array) => Promise<Uint8Array>

/** Where short calls come from. One worker per workspace answers them. */
export interface CallServer {
  /** Bytes that a reply may have. */
  readonly replyBytesMax: number
  serve(handler: CallHandler): Promise<void>
  /** Takes no more calls; those under way are answered. */
  stop(): Promise<void>
}
