/** A WebSocket that is open, however the runtime has it. */
export interface EventSocket {
  /** One message. What cannot be sent any more is dropped. */
  send(text: string): void
  /** With a code of RFC 6455. Safe to repeat. */
  close(code: number, reason: string): void
  /** Bytes that were given to it and have not left; 0 where the runtime does not tell. */
  unsentBytes(): number
  /** Calls `listener` once, when it is closed, by whomever. */
  onClose(listener: () => void): void
}
