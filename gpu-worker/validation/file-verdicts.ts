import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Violation } from '#shared/schemas/check.ts'
import type { CheckSettings } from '../gates/settings.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { decodeText } from '../workspace/text.ts'
import { type FileFigures, toFileFigures } from './file-figures.ts'

/** What the checks say about one file as it is, or why they say nothing. */
export type FileVerdict =
  | {
      readonly kind: 'checked'
      readonly ran: readonly string[]
      readonly violations: readonly Violation[]
      readonly figures: FileFigures
    }
  | { readonly kind: 'skipped'; readonly reason: string }

/** Verdicts by path, each with the hash of the bytes that it is about. Holds for one state of the rules. */
export interface FileVerdicts {
  /** The verdict on a file. Rejects as FileChecker does, never for what the file is. */
  judge(path: string, signal: AbortSignal): Promise<{ readonly verdict: FileVerdict; readonly isKnown: boolean }>
}

/** About 100 MB where every file has findings; hardly any has. */
const REMEMBERED_MAX = 100_000

/** Why a file is passed over, where its name does not say it. */
const reasons: Partial<Record<string, string>> = {
  too_large: `larger than ${FILE_BYTES_MAX} bytes`,
  invalid_input: 'no text',
  protected_path: 'protected',
  not_found: 'gone meanwhile',
}

/** Keeps verdicts from run to run: a file whose bytes and rules are the same is read, but not checked again. */
export function createVerdictMemory(files: FileTree): (settings: CheckSettings, checker: FileChecker) => FileVerdicts {
  let known = new Map<string, { readonly sha256: string; readonly verdict: FileVerdict }>()
  let knownFor: CheckSettings | undefined
  return (settings, checker) => {
    if (knownFor !== settings) {
      knownFor = settings
      known = new Map()
    }
    const own = known
    return {
      async judge(path, signal) {
        let file: { readonly text: string; readonly sha256: string }
        try {
          const { bytes, sha256 } = await files.read(path, FILE_BYTES_MAX)
          const before = own.get(path)
          if (before?.sha256 === sha256) return { verdict: before.verdict, isKnown: true }
          file = { text: decodeText(path, bytes), sha256 }
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          return { verdict: { kind: 'skipped', reason: reasons[error.code] ?? error.message }, isKnown: false }
        }
        const found = await checker.check({ path, text: file.text, before: null }, signal)
        const { ran, violations } = found.checks
        const verdict: FileVerdict = { kind: 'checked', ran, violations, figures: toFileFigures(found) }
        if (own.size < REMEMBERED_MAX || own.has(path)) own.set(path, { sha256: file.sha256, verdict })
        return { verdict, isKnown: false }
      },
    }
  }
}
