import { createBag } from './bag.ts'
import type { Finding, Gate } from './gate.ts'
import { nextTurn } from './next-turn.ts'
import type { ForbiddenPattern } from './settings.ts'

/** What a model can mend in one round; more of the same says nothing new. */
const SHOWN_MAX = 5

/**
 * What the repository does not want in its files. Each line is searched by itself, so that the work grows with the text
 * and no more. A line that stood in the file before, wherever, is old.
 */
export function createForbiddenPatternGate(patterns: readonly ForbiddenPattern[]): Gate {
  const patternsFor = (path: string) => patterns.filter(({ matches }) => matches(path))
  return {
    rule: 'forbidden_pattern',
    describe(_kind, path) {
      const messages = patternsFor(path).map(({ message }) => message)
      return messages.length === 0 ? null : messages.join('; ')
    },
    async judge({ path, text, before }) {
      const asked = patternsFor(path)
      if (asked.length === 0) return null
      const lines = text.split('\n')
      const old = createBag(before === null ? [] : before.split('\n'))
      const isOldLine = lines.map((line) => old.take(line))
      const findings: Finding[] = []
      for (const pattern of asked) {
        findings.push(...search(pattern, lines, isOldLine))
        await nextTurn()
      }
      return { findings }
    },
  }
}

/** New lines first: however many old ones there are, they hide none. */
function search({ pattern, message }: ForbiddenPattern, lines: readonly string[], isOldLine: readonly boolean[]) {
  const fresh: Finding[] = []
  const old: Finding[] = []
  for (const [index, line] of lines.entries()) {
    const isOld = isOldLine[index] === true
    const found = isOld ? old : fresh
    // No pattern matches the empty text.
    if (line === '' || found.length > SHOWN_MAX) continue
    const matcher = pattern.matcher(line)
    if (matcher.find()) found.push({ message, line: index + 1, column: matcher.start() + 1, isOld })
  }
  return [...cut(fresh), ...cut(old)]
}

function cut(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= SHOWN_MAX) return findings
  return findings.slice(0, SHOWN_MAX).map((finding, index) => ({
    ...finding,
    message: index === SHOWN_MAX - 1 ? `${finding.message} (and further lines)` : finding.message,
  }))
}
