import { AppError } from '#shared/errors.ts'
import type { LostContent } from '#shared/schemas/lost-content.ts'
import { readCurrent } from '../agent/land.ts'
import type { FileTree, ResolvedFile } from '../ports/file-tree.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import { countLines } from '../workspace/text.ts'

/** New content for a whole file, as a caller gives it. */
export interface Replacement {
  readonly content: string
  readonly expected_sha256?: string | undefined
  readonly confirm?: boolean | undefined
}

/**
 * The version that a replacement may overwrite; undefined for whichever is there. Who names a version has read it, and who
 * says `confirm` knows; anybody else may replace only what nobody loses: nothing, an empty file, the same text, and what the
 * acting agent itself wrote last. `confirmation_required` otherwise.
 */
export async function versionToReplace(
  { files, journal }: { files: FileTree; journal: WriteJournal },
  { path }: ResolvedFile,
  agentId: string | null,
  { content, expected_sha256, confirm }: Replacement,
): Promise<string | null | undefined> {
  if (expected_sha256 !== undefined || confirm === true) return expected_sha256
  const { text, sha256 } = await readCurrent(files, path)
  if (text === null || sha256 === null || text === '' || text === content) return sha256
  const last = journal.writesTo(path).at(-1)
  const isOwn = agentId !== null && last?.agentId === agentId && last.afterSha256 === sha256
  if (!isOwn) throw unconfirmed('overwrite', { path, sha256, line_count: countLines(text) })
  return sha256
}

/** A refusal that says what would be lost. What comes after it replaces that version and no other. */
export function unconfirmed(action: 'overwrite' | 'delete', lost: LostContent): AppError {
  const lines = `${lost.line_count} line${lost.line_count === 1 ? '' : 's'}`
  return new AppError('confirmation_required', `Cannot ${action} "${lost.path}" unasked: ${lines} would be gone`, {
    hint: "Read it, then call again with its sha256 as expected_sha256; or with confirm: true, if the user wants that. The old bytes stay in git's object store",
    details: { ...lost },
  })
}
