import { AppError, type ErrorCode } from '#shared/errors.ts'
import { ANSWER_BYTES_MAX } from '#shared/protocol/limits.ts'
import { BUGS_PATH, type Bug } from '#shared/schemas/bug.ts'
import { readCurrent } from '../agent/land.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { addBug, type BugList, countBugs, emptyBugList, type NewBug, parseBugList } from './bug-list.ts'
import { type FileToolPorts, writeAs } from './files.ts'
import type { ToolContext, ToolHandlers } from './handler.ts'

/** A person who saves the file in between wins, and the bug is then added to what they saved. */
const ATTEMPTS_MAX = 3

export function createBugTools(ports: FileToolPorts): ToolHandlers<'report_bug' | 'list_bugs'> {
  return {
    report_bug: (input, context) => report(ports, input, context),

    async list_bugs({ status, severity }) {
      const { bugs } = (await readBugs(ports.files)).list
      const asked = bugs.filter(
        (bug) =>
          (status === undefined || bug.status === status) && (severity === undefined || bug.severity === severity),
      )
      const shown = newestWithin(asked, ANSWER_BYTES_MAX)
      return { bugs: shown, statistics: countBugs(bugs), truncated: shown.length < asked.length }
    },
  }
}

/** Adds the bug under the file's lock, by the same way as every write. An agent that owns the file is its only writer. */
async function report(ports: FileToolPorts, input: NewBug, context: ToolContext): Promise<{ bug: Bug }> {
  for (let attempt = 1; ; attempt++) {
    let added: Bug | undefined
    const content = async () => {
      const { list, sha256 } = await readBugs(ports.files)
      const { bug, text } = addBug(list, input, new Date())
      added = bug
      return { text, expectedSha256: sha256 }
    }
    try {
      await writeAs(ports, context, { path: BUGS_PATH, content, dryRun: false })
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict' && attempt < ATTEMPTS_MAX) continue
      throw explain(error)
    }
    if (added === undefined) throw new Error('A bug was written that was never made')
    return { bug: added }
  }
}

async function readBugs(files: FileTree): Promise<{ list: BugList; sha256: string | null }> {
  const { text, sha256 } = await readCurrent(files, BUGS_PATH)
  return { list: text === null ? emptyBugList(new Date()) : parseBugList(text), sha256 }
}

/** The refusals of a write that have another remedy here than for any file. */
function explain(error: unknown): unknown {
  const hint = error instanceof AppError ? hints[error.code] : undefined
  return error instanceof AppError && hint !== undefined ? new AppError(error.code, error.message, { hint }) : error
}

const hints: Partial<Record<ErrorCode, string>> = {
  not_owner: `Give that agent another file, or delete it: while it owns ${BUGS_PATH}, nobody else can report bugs`,
  too_large: `Move resolved bugs of ${BUGS_PATH} to another file`,
}

/** Newest first, as many as fit, but always one. */
function newestWithin(bugs: readonly Bug[], bytesMax: number): Bug[] {
  const shown: Bug[] = []
  let bytes = 0
  for (const bug of bugs.toReversed()) {
    bytes += Buffer.byteLength(JSON.stringify(bug))
    if (shown.length > 0 && bytes > bytesMax) break
    shown.push(bug)
  }
  return shown
}
