import type { AnswerGrammar } from './answer-grammar.ts'
import type { ChatTurn } from './language-model.ts'

/** A model as a server lists it. */
export interface ListedModel {
  readonly id: string
  /** Largest prompt and answer together; null where the server does not say. */
  readonly contextTokens: number | null
  /** The server has one model and answers with it whatever it is asked for. */
  readonly answersToAnyName: boolean
}

export interface ChatServerRequest {
  readonly model: string
  readonly turns: readonly ChatTurn[]
  readonly answerTokensMax: number
  readonly temperature: number
  /** Asked for as far as the server is known to take it. */
  readonly grammar: AnswerGrammar | null
}

/** A part of an answer as it arrives. */
export interface ChatPiece {
  /** Of the answer; empty for a piece that only tells something. */
  readonly text: string
  /** The model is thinking: a sign of life, and no part of the answer. */
  readonly thinking: boolean
  /** Why the answer is over: `stop`, `length`, or what else the server calls it; null while it is not. */
  readonly finish: string | null
  /** Most servers send it once, at the end. */
  readonly usage: {
    readonly promptTokens: number
    /** Of the prompt: those that the server still held; 0 where it does not tell. */
    readonly cachedTokens: number
    readonly completionTokens: number
  } | null
}

/** A server that speaks the OpenAI style of chat completions. Every method rejects with ServerFailure. */
export interface ChatServer {
  /** As people see it: host and port, no path, no credentials. */
  readonly host: string
  /** Null where the server does not list its models. */
  listModels(signal: AbortSignal): Promise<readonly ListedModel[] | null>
  /** As the server's own tokenizer counts, special tokens as plain text; null where it offers none. */
  countTokens(model: string, text: string, signal: AbortSignal): Promise<number | null>
  /** One attempt. Aborting closes the connection, by which the server knows that nobody waits. */
  stream(request: ChatServerRequest, signal: AbortSignal): AsyncIterable<ChatPiece>
}

/**
 * - `connection` — it could not be made, or broke
 * - `refused` — the server answered with an error
 * - `silence` — nothing came for too long
 * - `garbage` — what came is not what such a server says
 */
export type ServerFailureKind = 'connection' | 'refused' | 'silence' | 'garbage'

export interface ServerFailureFacts {
  /** HTTP status of a refusal; null where the refusal came inside a stream. */
  readonly status?: number | null
  /** What the server calls it: its `code` and `type`. */
  readonly codes?: readonly string[]
  /** How long the server asks to wait. */
  readonly retryAfterMs?: number | null
  /** Sizes, where the server refuses for them and names them. */
  readonly promptTokens?: number | null
  readonly contextTokens?: number | null
}

/** Why a server did not answer. The message reads after the server's name and holds no credentials. */
export class ServerFailure extends Error {
  override readonly name = 'ServerFailure'
  readonly kind: ServerFailureKind
  readonly facts: ServerFailureFacts

  constructor(kind: ServerFailureKind, message: string, facts: ServerFailureFacts = {}, options: ErrorOptions = {}) {
    super(message, options)
    this.kind = kind
    this.facts = facts
  }
}
