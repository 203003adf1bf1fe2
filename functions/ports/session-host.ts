import type { Scope } from '#shared/access.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import type { Caller } from '#shared/protocol/envelope.ts'
import type { OpenWorkspace } from './edge-ports.ts'

/** Whose a session is. To anybody else, and to the same person in another workspace, it is not there. */
export interface SessionHolder {
  readonly subject: string
  readonly workspace: WorkspaceId
}

/** Who sends a message to a session, as the gate has let them in. Plain data: it can be sent on. */
export interface SessionSender {
  readonly caller: Caller
  readonly credential: string | null
  readonly scopes: readonly Scope[]
  /** The tools that the client sees, in the words of `?tools=`; null for all. */
  readonly tools: string | null
  readonly requestId: string
  readonly resourceMetadata?: string
}

export interface SessionQuestion {
  readonly workspace: OpenWorkspace
  readonly sender: SessionSender
  /** What was posted, parsed; null for what has no body: the stream of messages, and the end. */
  readonly message: unknown
}

/** Sessions of the 2025 era that live outside of this process, each in a place of its own. */
export interface SessionHost {
  /**
   * Answers in the session that the request names, or, for `initialize`, in a new one. Null where the sender has no such
   * session. `request` has the method and the headers; its body has been read. Rejects with AppError `unavailable`.
   */
  serve(request: Request, question: SessionQuestion): Promise<Response | null>
  /**
   * Whether its client ended the session. Asked with every message of a client that names one, so the answer may be some
   * seconds old; never for a session that was ended by way of this very host. Never rejects.
   */
  hasEnded(id: string, holder: SessionHolder): Promise<boolean>
}
