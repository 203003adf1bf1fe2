import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { WriteIntent, WriteJournal } from '../ports/write-journal.ts'

/**
 * Settles what a killed worker left: temp files go, and each write that was begun is found landed or dropped by what
 * the file holds now. Returns lines for the log.
 */
export async function recoverWorkspace(
  files: FileTree,
  journal: WriteJournal,
  unfinished: readonly { id: number; intent: WriteIntent }[],
): Promise<string[]> {
  const lines: string[] = []
  const swept = await files.sweep()
  if (swept > 0) lines.push(`Removed ${swept} unfinished temp files of an earlier run`)
  for (const { id, intent } of unfinished) {
    const landed = (await hashNow(files, intent.path)) === intent.afterSha256
    journal.end(id, landed ? 'landed' : 'dropped')
    lines.push(
      `A write of "${intent.path}" was under way when the worker stopped: it ${landed ? 'had landed' : 'had not happened'}`,
    )
  }
  return lines
}

async function hashNow(files: FileTree, path: string): Promise<string | null | undefined> {
  try {
    // What is larger than this server writes is not what it wrote.
    return (await files.read(path, FILE_BYTES_MAX)).sha256
  } catch (error) {
    if (error instanceof AppError) return error.code === 'not_found' ? null : undefined
    throw error
  }
}
