import type { QualityReport } from '#shared/schemas/quality.ts'
import { type FileKind, fileKind } from '../gates/file-kind.ts'
import { docCommentFor, undocumentedIn } from '../gates/missing-docs.ts'
import { isTestFile } from '../gates/test-file.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { AnalysisOutcome, SourceParser } from '../ports/source-parser.ts'
import type { ComparedFiles, DuplicationIndex } from './duplication.ts'
import { fingerprintsOf } from './fingerprints.ts'
import { issuesOf } from './issues.ts'
import { scoreOf } from './score.ts'

export interface QualityPorts {
  /** Complexity, syntax, length and the rules of the repository are the gates' own: there is one way to each number. */
  readonly checker: FileChecker
  readonly parser: SourceParser
  readonly duplication: DuplicationIndex
  readonly files: ComparedFiles
}

export interface QualitySubject {
  /** Null for a text that is no file. */
  readonly path: string | null
  /** Says the language. The path, or where there is none a name for the text. */
  readonly name: string
  readonly text: string
}

/** What is listed of each kind; the score counts all. */
const SHOWN_MAX = 100
const COPIES_SHOWN_MAX = 20
const PARAMETERS_SHOWN_MAX = 20
/** A third of a short call. */
const COMPARE_BUDGET_MS = 10_000
const hinted = new Set(['python', 'typescript', 'tsx'])

type Analyzed = Extract<AnalysisOutcome, { kind: 'analyzed' }>

/** Measures a text. Rejects as its ports do, never for what the text is. */
export async function analyzeQuality(
  ports: QualityPorts,
  subject: QualitySubject,
  signal: AbortSignal,
): Promise<QualityReport> {
  const { path, name, text } = subject
  const kind = fileKind(name)
  const check = await ports.checker.check({ path: name, text, before: null }, signal)
  const outcome = kind.language === null ? null : await ports.parser.analyze(kind.language, text, signal)
  const analyzed = outcome?.kind === 'analyzed' ? outcome : null
  const isSound = analyzed !== null && check.syntaxErrors.length === 0
  const sound = isSound ? analyzed : null
  const found = {
    ...namesOf(sound, kind, name),
    duplication: kind.isCode && analyzed !== null ? await compare(ports, subject, kind, analyzed, signal) : null,
  }
  const issues = issuesOf(check, found, { docComment: docCommentFor(kind), isPython: kind.language === 'python' })
  return {
    path,
    language: kind.name,
    ...scoreOf(issues),
    complexity: check.complexity,
    size: sizeOf(
      text,
      check.lineCount,
      analyzed,
      kind.isCode ? sound : null,
      check.complexity?.functions.length ?? null,
    ),
    duplication:
      found.duplication === null
        ? null
        : { ...found.duplication, copies: found.duplication.copies.slice(0, COPIES_SHOWN_MAX) },
    missing_docs: found.missing_docs?.slice(0, SHOWN_MAX) ?? null,
    missing_types: found.missing_types?.slice(0, SHOWN_MAX) ?? null,
    unused_imports: found.unused_imports?.slice(0, SHOWN_MAX) ?? null,
    issues: issues.slice(0, SHOWN_MAX),
    issues_total: issues.length,
    skipped: [...check.checks.skipped, ...unmeasured(kind, outcome)],
  }
}

/** Why figures are null, where it is not that the language has none. */
function unmeasured(kind: FileKind, outcome: AnalysisOutcome | null): QualityReport['skipped'] {
  if (outcome?.kind === 'analyzed') return []
  const what = kind.name ?? 'this kind of file'
  return [{ rule: 'metrics', reason: outcome === null ? `no grammar for ${what}` : 'the text cannot be parsed' }]
}

type Names = Pick<QualityReport, 'missing_docs' | 'missing_types' | 'unused_imports'>

/** What has a name and lacks something. Tests explain themselves; what `__init__.py` imports is for others. */
function namesOf(sound: Analyzed | null, kind: FileKind, name: string): Names {
  if (sound === null) return { missing_docs: null, missing_types: null, unused_imports: null }
  const isTest = isTestFile(name)
  const untyped = sound.definitions.filter((each) => each.untypedParameters.length > 0 || each.isReturnUntyped)
  return {
    missing_docs:
      docCommentFor(kind) === null || isTest
        ? null
        : undocumentedIn(sound.definitions).map(({ name, line }) => ({ name, line })),
    missing_types:
      kind.language === null || !hinted.has(kind.language) || isTest
        ? null
        : untyped.map((each) => ({
            name: each.name,
            line: each.line,
            parameters: each.untypedParameters.slice(0, PARAMETERS_SHOWN_MAX),
            returns: each.isReturnUntyped,
          })),
    unused_imports: isCollection(name) ? null : (sound.unusedImports?.map((each) => ({ ...each })) ?? null),
  }
}

/** Files whose imports are what they offer: Python's packages, and pytest's fixtures. */
const isCollection = (name: string): boolean => /(?:^|\/)(?:__init__\.pyi?|conftest\.py)$/.test(name)

async function compare(
  { duplication, files }: QualityPorts,
  { path }: QualitySubject,
  { language }: FileKind,
  { tokens, lines }: Analyzed,
  signal: AbortSignal,
): Promise<QualityReport['duplication']> {
  if (language === null) return null
  const side = { tokens, fingerprints: fingerprintsOf(tokens.hashes) }
  const found = await duplication.compare({ path, language, side }, files, { signal, budgetMs: COMPARE_BUDGET_MS })
  return {
    lines: found.duplicatedLines,
    percent: lines.code === 0 ? 0 : Math.min(100, Math.round((100 * found.duplicatedLines) / lines.code)),
    copies: found.copies.map((copy) => ({
      path: copy.path,
      line: copy.line,
      end_line: copy.endLine,
      other_line: copy.otherLine,
      other_end_line: copy.otherEndLine,
      tokens: copy.tokens,
    })),
    files_compared: found.filesCompared,
    files_left: found.filesLeft,
    files_skipped: found.filesSkipped,
  }
}

function sizeOf(
  text: string,
  lineCount: number,
  analyzed: Analyzed | null,
  sound: Analyzed | null,
  functions: number | null,
): QualityReport['size'] {
  return {
    bytes: Buffer.byteLength(text),
    lines: lineCount,
    code_lines: analyzed?.lines.code ?? null,
    comment_lines: analyzed?.lines.comment ?? null,
    blank_lines:
      analyzed?.lines.blank ??
      text.split('\n').filter((line, at, all) => line.trim() === '' && at < all.length - 1).length,
    functions,
    classes: sound?.definitions.filter(({ kind }) => kind === 'class').length ?? null,
  }
}
