import type { Checks, Complexity } from '#shared/schemas/check.ts'

export interface FileCheck {
  readonly checks: Checks
  readonly syntaxErrors: readonly { line: number; column: number; message: string }[]
  /** Null for a language that has no functions or no grammar here. */
  readonly complexity: Complexity | null
  readonly lineCount: number
}

export interface CheckRequest {
  readonly path: string
  readonly text: string
  /** The file as it is now; a limit that it already exceeds is an error only when the change makes it worse. */
  readonly before: string | null
  /** What the change was asked to do, in the asker's words; for judging whether it does only that. */
  readonly task?: string
  /** When the call must have answered, in ms since the epoch; left out where there is time enough for every command. */
  readonly deadline?: number
}

/** The gates: everything that is asked of a file before it is written. Never rejects for what the text is. */
export interface FileChecker {
  check(request: CheckRequest, signal?: AbortSignal): Promise<FileCheck>
  /**
   * The rules that can refuse the file, as lines for the prompt. Rejects with `checks_failed` where the repository's own
   * configuration is wrong, or a command that it requires cannot run here: no answer of a model could pass.
   */
  rules(path: string): Promise<readonly string[]>
  /** The most lines that a file may have; null where it has no limit. Rejects as `rules` does. */
  lineLimit(path: string): Promise<number | null>
  close(): Promise<void>
}
