import type { Complexity } from '#shared/schemas/check.ts'

/** Languages that can be parsed. `jsonc` is JSON with comments. */
export type SourceLanguage =
  | 'python'
  | 'javascript'
  | 'typescript'
  | 'tsx'
  | 'go'
  | 'rust'
  | 'java'
  | 'c'
  | 'cpp'
  | 'json'
  | 'jsonc'
  | 'yaml'
  | 'markdown'

/** `line` and `column` count from 1; columns in UTF-16 units. `message` tells a model what to mend. */
export interface SyntaxFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A function, method, class or type with a name; none that stands inside a function. Lines count from 1. */
export interface Definition {
  /** With what it stands in: `User.save`. */
  readonly name: string
  readonly kind: 'function' | 'class'
  readonly line: number
  readonly endLine: number
  /** Whether the language calls it public, and its documentation is asked for where that is a rule. */
  readonly isPublic: boolean
  readonly hasDocs: boolean
}

export type ParseOutcome =
  | {
      readonly kind: 'parsed'
      /** The first few faults, in order of position. */
      readonly faults: readonly SyntaxFault[]
      readonly faultCount: number
      /** Places where the parser gave up. One fault may explain several; for comparing two texts. */
      readonly breakCount: number
      /** Null for data languages, and where the text has faults: figures of a broken tree mean nothing. */
      readonly complexity: Complexity | null
      /** In order of position; empty where the text has faults. */
      readonly definitions: readonly Definition[]
    }
  /** The parser was stopped: the text is pathological, or far larger than source code is. */
  | { readonly kind: 'timed_out'; readonly limitMs: number }
  /** The parser broke on this text (out of memory, too deep). */
  | { readonly kind: 'broken'; readonly reason: string }

/**
 * Parses source text, whatever it is, in bounded time. Calls may overlap and are served in order.
 *
 * `parse` rejects with AppError `cancelled` when the signal is aborted, and `unavailable` when the parser itself cannot
 * be started; never for what the text is.
 */
export interface SourceParser {
  parse(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<ParseOutcome>
  /** Ends the parser; calls in flight reject with `cancelled`. */
  close(): Promise<void>
}
