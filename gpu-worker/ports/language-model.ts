import type { Usage } from '#shared/schemas/job.ts'
import type { ModelInfo } from '#shared/schemas/worker.ts'
import type { AnswerGrammar } from './answer-grammar.ts'

export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant'
  /** Plain text. Special tokens in it are encoded as plain text, never as control tokens. */
  readonly text: string
}

export interface GenerateRequest {
  /** Starts with the system turn and ends with a user turn. */
  readonly turns: readonly ChatTurn[]
  /** Tokens that the answer may take at most; part of what must fit into the context. */
  readonly answerTokensMax: number
  /** 0 is greedy and reproducible. */
  readonly temperature: number
  /**
   * Who asks: an agent's id. What is left of the caller's last prompt is used again where it can be, and callers take
   * turns. Calls without a key are one caller.
   */
  readonly cacheKey?: string
  /**
   * The form of the answer. A model in a process of ours cannot leave it; one behind an address keeps to it as far as its
   * server can make it, so a reader judges every answer. An answer that was cut (`length`) is an unfinished one; so is one that
   * was ended because it said nothing but one token, over and over, where its form did not let it end.
   */
  readonly grammar?: AnswerGrammar
}

export interface GenerateProgress {
  readonly phase: 'queued' | 'loading_model' | 'prompt' | 'generating'
  /** Answer tokens so far. */
  readonly tokens: number
  /** Prompt tokens evaluated so far, and in all. */
  readonly promptTokens: number
  readonly promptTokensTotal: number
  /** The end of the answer so far, as `answerTail` cuts it; left out before the first token. */
  readonly tail?: string | undefined
}

export interface GenerateOptions {
  /** Aborting frees the model within a second; `generate` then rejects with `cancelled`. */
  readonly signal: AbortSignal
  /** Called at most a few times per second. Must not throw. */
  readonly onProgress?: (progress: GenerateProgress) => void
}

export interface GenerateResult {
  readonly text: string
  /** `length` means that the answer was cut, at `answerTokensMax` or for what `grammar` says. */
  readonly stopReason: 'end' | 'length'
  readonly usage: Usage
}

/**
 * A model that answers. Calls may overlap; the implementation answers several at once, or queues them.
 *
 * `generate` rejects with AppError:
 * - `model_unavailable` — there is no model, it failed to load, or its process died twice on this call;
 *   the message says why and the hint what to do
 * - `context_overflow` — prompt and answer do not fit; the message names both sizes and the limit. Nothing is cut
 * - `cancelled` — the signal was aborted
 * - `busy` — too many calls wait
 */
export interface LanguageModel {
  readonly name: string
  info(): ModelInfo
  generate(request: GenerateRequest, options: GenerateOptions): Promise<GenerateResult>
  /** Tokens of a text as the model counts them. Loads the model when it must. */
  countTokens(text: string, signal: AbortSignal): Promise<number>
  /** Resident memory of the process that holds the model, in bytes; null where there is none. */
  memoryBytes(): number | null
  /** Ends the model's process; calls in flight reject with `cancelled`. */
  close(): Promise<void>
}
