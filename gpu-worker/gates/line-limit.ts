import { LINES_MAX_DEFAULT } from '#shared/protocol/limits.ts'
import { countLines } from '../workspace/text.ts'
import type { Gate } from './gate.ts'

/**
 * A file of code is short enough to be written whole by a small model. Data, prose and markup are as long as they are.
 * A file that is too long already may change, and shrink, but not grow.
 */
export function createLineLimitGate(linesMax: number = LINES_MAX_DEFAULT): Gate {
  return {
    rule: 'line_limit',
    describe: (kind) => (kind.isCode ? `At most ${linesMax} lines` : null),
    async judge({ kind, lineCount, before }) {
      if (!kind.isCode) return { skipped: `only code is limited to ${linesMax} lines` }
      if (lineCount <= linesMax) return { findings: [] }
      const linesBefore = before === null ? 0 : countLines(before)
      const isOld = linesBefore > linesMax && lineCount <= linesBefore
      const advice = isOld
        ? 'it may not grow; move parts of it to other files'
        : 'shorten it or move parts to other files'
      const message = `${lineCount} lines, limit ${linesMax}: ${advice}`
      return { findings: [{ message, line: null, column: null, isOld }] }
    },
  }
}
