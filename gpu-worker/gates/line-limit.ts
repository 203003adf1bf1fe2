import { countLines } from '../workspace/text.ts'
import type { Gate } from './gate.ts'
import type { LineLimits } from './settings.ts'

/** The limit of a file: the first that was set for it by name, else that of code; null where it has none. */
export function lineLimitOf({ linesMax, files }: LineLimits, path: string, isCode: boolean): number | null {
  return files.find(({ matches }) => matches(path))?.linesMax ?? (isCode ? linesMax : null)
}

/**
 * A file of code is short enough to be written whole by a small model. Data, prose and markup are as long as they are,
 * unless a limit was set for them by name. A file that is too long already may change, and shrink, but not grow.
 */
export function createLineLimitGate(limits: LineLimits): Gate {
  const limitOf = (path: string, isCode: boolean): number | null => lineLimitOf(limits, path, isCode)
  return {
    rule: 'line_limit',
    describe(kind, path) {
      const limit = limitOf(path, kind.isCode)
      return limit === null ? null : `At most ${limit} lines`
    },
    async judge({ path, kind, lineCount, before }) {
      const limit = limitOf(path, kind.isCode)
      if (limit === null) return { skipped: `only code is limited to ${limits.linesMax} lines` }
      if (lineCount <= limit) return { findings: [] }
      const linesBefore = before === null ? 0 : countLines(before)
      const isOld = linesBefore > limit && lineCount <= linesBefore
      const advice = isOld
        ? 'it may not grow; move parts of it to other files'
        : 'shorten it or move parts to other files'
      const message = `${lineCount} lines, limit ${limit}: ${advice}`
      return { findings: [{ message, line: null, column: null, isOld }] }
    },
  }
}
