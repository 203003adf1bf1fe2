import type { ParseOutcome } from '../ports/source-parser.ts'
import type { FileKind } from './file-kind.ts'
import type { Rule } from './severity.ts'

/** What every gate is shown. */
export interface GateSubject {
  readonly path: string
  readonly text: string
  /** The file as it is now; null where there is none. */
  readonly before: string | null
  /** What the change was asked to do; null where nobody said. */
  readonly task: string | null
  readonly kind: FileKind
  /** Newline characters, as `wc -l` counts them. */
  readonly lineCount: number
  /** Null where there is no grammar for the kind. */
  readonly source: ParseOutcome | null
  /** Parses the text from before; null where there is none. For gates that judge a change by what was there. */
  readonly parseBefore: () => Promise<ParseOutcome | null>
}

export interface Finding {
  /** What is wrong and what to do, for a model. */
  readonly message: string
  readonly line: number | null
  readonly column: number | null
  /** True for what the file had before and the change does not make worse: a warning, whatever the rule's severity. */
  readonly isOld?: boolean
  /** True for what may well be right: a warning, whatever the rule's severity. */
  readonly isGuess?: boolean
}

/** Null where nothing is asked of such a file: no pattern is set for it, or nobody told the task. */
export type Verdict = { readonly findings: readonly Finding[] } | { readonly skipped: string } | null

/** One check. `judge` never rejects for what the text is. */
export interface Gate {
  readonly rule: Rule
  /** The rule as a line for the prompt; null where it does not apply to such a file, or goes without saying. */
  describe(kind: FileKind, path: string): string | null
  judge(subject: GateSubject): Promise<Verdict>
}

/** Why a gate that needs a parsed source cannot judge this one; null where it can. */
export function whyNotParsed({ kind, source }: GateSubject): string | null {
  if (source === null && kind.language !== null) return 'the file is too large for its grammar'
  if (source === null) return kind.name === null ? 'no grammar for this kind of file' : `no grammar for ${kind.name}`
  return source.kind !== 'parsed' || source.faultCount > 0 ? 'the file does not parse' : null
}
