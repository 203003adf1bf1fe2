import type { Scope } from '#shared/access.ts'
import type { Caller } from '#shared/protocol/envelope.ts'
import type { JsonRpcMessage } from './message.ts'
import type { Toolset } from './toolset.ts'

/** Who sends a message, and what they may do with it. */
export interface McpCaller {
  readonly caller: Caller
  /** With which session, token or grant; null for the machine's owner. */
  readonly credential: string | null
  /** What the token and its holder's role allow. */
  readonly scopes: readonly Scope[]
  readonly toolset: Toolset
  readonly requestId: string
  /** Whether the request's token would still let it in: asked while a stream is open. */
  readonly isStillGood: () => Promise<boolean>
  /** Where clients learn how to get a token that allows more; undefined where nobody issues any. */
  readonly resourceMetadata: string | undefined
}

/** A message with its sender: all that answering it may depend on. */
export interface Received extends McpCaller {
  readonly message: JsonRpcMessage
}
