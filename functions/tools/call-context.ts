import type { Caller } from '#shared/protocol/envelope.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { ToolByName, ToolName } from '#shared/tools/catalogue.ts'
import type { ToolInput, ToolOutput } from '#shared/tools/define-tool.ts'

/** One tool call: who makes it, and how it is watched and stopped. */
export interface CallContext {
  readonly caller: Caller
  /** With which session, token or grant, for the audit log. */
  readonly credential?: string | null
  readonly requestId: string
  /** Aborts when the client cancels or goes away. */
  readonly signal: AbortSignal
  /**
   * What a client that cancels by request id will name this call by. Null where the call's own connection tells of it.
   */
  readonly callKey: string | null
  /** Asks the person at the client; left out where the client cannot be asked. */
  readonly ask?: AskPerson
  /** Null where the client did not ask for progress. Must be called at least every ten seconds of waiting. */
  readonly onProgress: ((progress: JobProgress) => void) | null
}

/**
 * True for yes; false for no, for a person who does not answer. `key` is another for every other question, so that no answer
 * is taken for that to another. May reject with an error of the protocol's side, which is to be passed on as it is.
 */
export type AskPerson = (question: { readonly key: string; readonly message: string }) => Promise<boolean>

/** Serves one tool at the edge. Rejects with AppError for a refusal; anything else is our bug. */
export type EdgeHandler<Name extends ToolName> = (
  input: ToolInput<ToolByName<Name>>,
  context: CallContext,
) => Promise<ToolOutput<ToolByName<Name>>>

/** The tools that the edge has a handler of its own for. Other jobs are submitted as they are: see job-tool.ts. */
export type EdgeToolName =
  | 'chat_with_agent'
  | Extract<{ [Name in ToolName]: ToolByName<Name> extends { place: 'edge' } ? Name : never }[ToolName], string>

export type EdgeHandlers<Names extends EdgeToolName> = { readonly [Name in Names]: EdgeHandler<Name> }
