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
  /** Parameters of a function that leave their type to be guessed. Empty where the language leaves no choice. */
  readonly untypedParameters: readonly string[]
  /** The type of what it returns is left to be guessed, where the language's habit is to write it. */
  readonly isReturnUntyped: boolean
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
      /** Constants outside functions that the language shows as such; empty where the text has faults. */
      readonly constants: readonly NamedConstant[]
    }
  | Unparsed

/** A name that keeps its value. Lines count from 1. */
export interface NamedConstant {
  readonly name: string
  readonly line: number
}

/** Why there is nothing to say about a text. */
export type Unparsed =
  /** The parser was stopped: the text is pathological, or far larger than source code is. */
  | { readonly kind: 'timed_out'; readonly limitMs: number }
  /** The parser broke on this text (out of memory, too deep). */
  | { readonly kind: 'broken'; readonly reason: string }

/** Lines by what stands on them; a line that has both counts as code. A last line without a newline counts too. */
export interface LineCounts {
  readonly code: number
  readonly comment: number
  readonly blank: number
}

/** A name that an import brings and nothing uses. */
export interface UnusedImport {
  readonly name: string
  readonly line: number
}

/** The tokens of a text without comments and imports: a hash of each, and its line. The texts of strings are all alike. */
export interface SourceTokens {
  readonly hashes: Uint32Array
  readonly lines: Uint32Array
}

export type AnalysisOutcome =
  | {
      readonly kind: 'analyzed'
      readonly lines: LineCounts
      readonly tokens: SourceTokens
      /** As in ParseOutcome. */
      readonly definitions: readonly Definition[]
      /** Null where the text has faults, or the language's grammar does not show it. */
      readonly unusedImports: readonly UnusedImport[] | null
    }
  | Unparsed

/**
 * The code of a text without comments and docstrings. Two hashes are equal where it is the same, however it is laid out.
 * Comments that tools obey (`noqa`, `@ts-ignore`) are code, and counted as `directives`.
 */
export type CodeOutcome =
  | { readonly kind: 'code'; readonly hash: string; readonly tokens: number; readonly directives: number }
  | Unparsed

/** One way to break the code: `replacement` in place of what stands from `start` to `end`, in UTF-16 units. */
export interface Mutant {
  /** The function that it breaks. */
  readonly function: string
  /** `emptied`: its body is gone. `changed`: one operator or constant of it is another. */
  readonly kind: 'emptied' | 'changed'
  readonly line: number
  /** What is broken, in words. */
  readonly what: string
  readonly start: number
  readonly end: number
  readonly replacement: string
}

export type MutantsOutcome = { readonly kind: 'mutants'; readonly mutants: readonly Mutant[] } | Unparsed

export type TokensOutcome = { readonly kind: 'tokenized'; readonly tokens: SourceTokens } | Unparsed

/**
 * Parses source text, whatever it is, in bounded time. Calls may overlap and are served in order.
 *
 * Its methods reject with AppError `cancelled` when the signal is aborted, and `unavailable` when the parser itself cannot
 * be started; never for what the text is.
 */
export interface SourceParser {
  parse(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<ParseOutcome>
  /** What no gate asks. */
  analyze(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<AnalysisOutcome>
  tokenize(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<TokensOutcome>
  readCode(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<CodeOutcome>
  /** In order of position. Places count in the text without its byte-order mark. */
  mutate(language: SourceLanguage, text: string, signal?: AbortSignal): Promise<MutantsOutcome>
  /** Ends the parser; calls in flight reject with `cancelled`. */
  close(): Promise<void>
}
