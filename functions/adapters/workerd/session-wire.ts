import type { SessionHolder, SessionQuestion } from '../../ports/session-host.ts'

// What goes between the edge and the object that has a session.

/** What an object is posted: a request for its session, without its credentials. */
export interface SessionPost extends SessionQuestion {
  readonly method: string
  readonly headers: readonly (readonly [string, string])[]
}

/** "Misdirected Request": what no session answers with by itself. The asker has no such session here. */
export const NO_SESSION_HERE = 421

/** What an object that has a session is asked beside the client's own requests. */
export interface SessionMethods {
  /** Whether its client ended it; false for who is not its holder. */
  hasEnded(holder: SessionHolder): Promise<boolean>
  /** Makes room: nobody has it any more. */
  end(): Promise<void>
}

/** A session, as others see it. */
export interface SessionStub extends SessionMethods {
  /** A `SessionPost`, answered as the client is, or with `NO_SESSION_HERE`. By HTTP, so that what is cut off is noticed. */
  fetch(url: string, request: { method: 'POST'; body: string; signal: AbortSignal }): Promise<Response>
}

/** Which sessions one holder has. */
export interface SessionLedgerStub {
  /** Notes a use. Where the holder now has too many, the one that was used longest ago ends. */
  use(session: string): Promise<void>
  leave(session: string): Promise<void>
}

/** Objects are asked by their stubs alone: the host is nobody's. */
export const SESSION_URL = 'https://session.invalid/mcp'
