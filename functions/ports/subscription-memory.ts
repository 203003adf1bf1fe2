/**
 * What the one session of a place is subscribed to, as its client wrote it. Kept where the session's server may have to be made
 * again while its client knows nothing of that.
 */
export interface SubscriptionMemory {
  list(): readonly string[]
  /** Safe to repeat. */
  add(uri: string): void
  /** Also of what is not there. */
  remove(uri: string): void
}
