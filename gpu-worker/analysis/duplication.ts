import { AppError } from '#shared/errors.ts'
import type { SourceLanguage, SourceParser } from '../ports/source-parser.ts'
import { KeyedLocks } from '../workspace/locks.ts'
import { type Copy, findCopies, placesOf, type Side } from './copies.ts'
import { type Fingerprints, fingerprintsOf } from './fingerprints.ts'

/** The repository's files, as the comparison needs them. */
export interface ComparedFiles {
  /** Files of code with their sizes, in a steady order. */
  list(signal: AbortSignal): AsyncIterable<{ path: string; language: SourceLanguage; bytes: number }>
  /** Null for what is gone or is no text. */
  read(path: string): Promise<{ text: string; sha256: string } | null>
}

/** A copy, and the file in which its other half stands: null for the same text. */
export interface FoundCopy extends Copy {
  readonly path: string | null
}

export interface Duplication {
  /** The longest first, a hundred at most. */
  readonly copies: readonly FoundCopy[]
  /** Lines of the text that are part of any copy. */
  readonly duplicatedLines: number
  readonly filesCompared: number
  /** Not compared yet: the time was up. The next call goes on where this one stopped. */
  readonly filesLeft: number
  /** Never compared: too large, not text, not parsed in time, or beyond what the memory is for. */
  readonly filesSkipped: number
}

export interface CompareOptions {
  readonly signal: AbortSignal
  /** How long after the call files that are new to the comparison may be read. */
  readonly budgetMs: number
  /** After each file. */
  readonly onProgress?: (progress: { filesSeen: number; filesLeft: number }) => void
}

export interface Subject {
  /** The file that is not to be compared with itself; null for a text that is no file. */
  readonly path: string | null
  readonly language: SourceLanguage
  readonly side: Side
}

/** Finds what a text has in common with a repository. Keeps fingerprints of its files: about 0.3 bytes for a token. */
export interface DuplicationIndex {
  /** Calls are served one after the other. Rejects with `cancelled` or `unavailable`, never for what a file is. */
  compare(subject: Subject, files: ComparedFiles, options: CompareOptions): Promise<Duplication>
}

/** Source that is larger has been generated. */
const FILE_BYTES_MAX = 256 * 1024
/** 32 MiB: of 5,000 files with 200 lines each there are 400,000. */
const FINGERPRINTS_MAX = 4_000_000
/** Files that are looked at token by token: those with most in common. */
const CANDIDATES_MAX = 20
/** Copies that are told apart. */
const COPIES_MAX = 100

const families: Partial<Record<SourceLanguage, string>> = { typescript: 'javascript', tsx: 'javascript', c: 'cpp' }
const familyOf = (language: SourceLanguage): string => families[language] ?? language

interface Candidate {
  readonly path: string
  readonly language: SourceLanguage
}

interface Known {
  readonly language: SourceLanguage
  readonly sha256: string
  /** Null for a file that cannot be compared. */
  readonly fingerprints: Fingerprints | null
}

export function createDuplicationIndex(parser: SourceParser): DuplicationIndex {
  const known = new Map<string, Known>()
  const turns = new KeyedLocks()
  let kept = 0

  function keep(path: string, entry: Known): void {
    forget(path)
    kept += entry.fingerprints?.values.length ?? 0
    known.set(path, entry)
  }

  function forget(path: string): void {
    kept -= known.get(path)?.fingerprints?.values.length ?? 0
    known.delete(path)
  }

  /** Brings the fingerprints of one file up to date. False where the file is not there. */
  async function learn(path: string, language: SourceLanguage, files: ComparedFiles, signal: AbortSignal) {
    const file = await files.read(path)
    if (file === null) return false
    if (known.get(path)?.sha256 === file.sha256) return true
    const outcome = await parser.tokenize(language, file.text, signal)
    const found = outcome.kind === 'tokenized' ? fingerprintsOf(outcome.tokens.hashes) : null
    const fingerprints = found !== null && kept + found.values.length <= FINGERPRINTS_MAX ? found : null
    keep(path, { language, sha256: file.sha256, fingerprints })
    return true
  }

  async function update(family: string, files: ComparedFiles, until: number, { signal, onProgress }: CompareOptions) {
    const seen = new Set<string>()
    let filesLeft = 0
    let filesSkipped = 0
    for await (const { path, language, bytes } of files.list(signal)) {
      if (signal.aborted) throw new AppError('cancelled', 'Cannot compare the files: the call was cancelled')
      if (familyOf(language) !== family) continue
      const isInTime = performance.now() < until
      if (bytes > FILE_BYTES_MAX) filesSkipped++
      else if (!isInTime && !known.has(path)) filesLeft++
      // What was read in an earlier call counts as it was then, where there is no time to see whether it has changed.
      else if (!isInTime || (await learn(path, language, files, signal))) seen.add(path)
      onProgress?.({ filesSeen: seen.size + filesSkipped, filesLeft })
    }
    for (const [path, { language }] of known) if (familyOf(language) === family && !seen.has(path)) forget(path)
    return { filesLeft, filesSkipped }
  }

  /** The files that share most with a text, and how many were asked. */
  function candidates({ path, language, side }: Subject) {
    const places = placesOf(side.fingerprints)
    const shared: { path: string; language: SourceLanguage; count: number }[] = []
    let filesCompared = 0
    let unread = 0
    for (const [other, { language: otherLanguage, fingerprints }] of known) {
      if (familyOf(otherLanguage) !== familyOf(language) || other === path) continue
      if (fingerprints === null) {
        unread++
        continue
      }
      filesCompared++
      const count = fingerprints.values.reduce((sum, value) => sum + (places.has(value) ? 1 : 0), 0)
      if (count > 0) shared.push({ path: other, language: otherLanguage, count })
    }
    shared.sort((a, b) => b.count - a.count)
    return { likely: shared.slice(0, CANDIDATES_MAX), filesCompared, unread }
  }

  async function copiesIn({ path, language }: Candidate, side: Side, files: ComparedFiles, signal: AbortSignal) {
    const file = await files.read(path)
    const outcome = file === null ? null : await parser.tokenize(language, file.text, signal)
    if (outcome?.kind !== 'tokenized') return []
    const other = { tokens: outcome.tokens, fingerprints: fingerprintsOf(outcome.tokens.hashes) }
    return findCopies(side, other).map((copy) => ({ ...copy, path }))
  }

  async function compare(
    subject: Subject,
    files: ComparedFiles,
    until: number,
    options: CompareOptions,
  ): Promise<Duplication> {
    const { filesLeft, filesSkipped } = await update(familyOf(subject.language), files, until, options)
    const { likely, filesCompared, unread } = candidates(subject)
    const copies: FoundCopy[] = findCopies(subject.side, subject.side).map((copy) => ({ ...copy, path: null }))
    for (const each of likely) copies.push(...(await copiesIn(each, subject.side, files, options.signal)))
    const duplicatedLines = countLinesOf(copies)
    return { copies: longestOf(copies), duplicatedLines, filesCompared, filesLeft, filesSkipped: filesSkipped + unread }
  }

  return {
    compare(subject, files, options) {
      // A call that has waited for another one finds most files known, and is not to take its full time again.
      const until = performance.now() + options.budgetMs
      return turns.run('', () => compare(subject, files, until, options), options.signal)
    },
  }
}

/** The longest first, without those that lie within another one of the same file. */
function longestOf(copies: readonly FoundCopy[]): FoundCopy[] {
  const kept: FoundCopy[] = []
  for (const copy of copies.toSorted((a, b) => b.tokens - a.tokens || a.line - b.line)) {
    const isPart = kept.some(
      ({ path, line, endLine }) => path === copy.path && line <= copy.line && copy.endLine <= endLine,
    )
    if (!isPart) kept.push(copy)
    if (kept.length === COPIES_MAX) break
  }
  return kept
}

/** Lines that any of the copies covers. A copy of a text with itself covers two stretches. */
function countLinesOf(copies: readonly FoundCopy[]): number {
  const ranges = copies.flatMap(({ path, line, endLine, otherLine, otherEndLine }): [number, number][] =>
    path === null
      ? [
          [line, endLine],
          [otherLine, otherEndLine],
        ]
      : [[line, endLine]],
  )
  ranges.sort(([a], [b]) => a - b)
  let count = 0
  let covered = 0
  for (const [first, last] of ranges) {
    count += Math.max(0, last - Math.max(first, covered + 1) + 1)
    covered = Math.max(covered, last)
  }
  return count
}
