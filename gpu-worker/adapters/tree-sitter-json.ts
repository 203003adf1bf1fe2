import type { SyntaxFault } from '../ports/source-parser.ts'

/**
 * What JSON.parse refuses: stricter than the grammar, which lets comments pass. It takes a million levels of nesting in
 * well under a second, so it needs no depth limit. An empty text counts as an empty file, not as a fault.
 */
export function jsonFaults(text: string): SyntaxFault[] {
  if (text.trim() === '') return []
  try {
    JSON.parse(text)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [{ ...positionIn(message, text), message: toSentence(message) }]
  }
}

function positionIn(message: string, text: string): { line: number; column: number } {
  const found = /\(line (\d+) column (\d+)\)/.exec(message)
  if (found !== null) return { line: Number(found[1]), column: Number(found[2]) }
  // V8 leaves the position out where the text ends too early.
  const lines = text.trimEnd().split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

/** V8's message without the position, which is said apart, and without the excerpt of the text. */
function toSentence(message: string): string {
  const short = message.replace(/ at position \d+.*$/s, '').replace(/, (?:\.\.\.)?".*" is not valid JSON$/s, '')
  return `${short.replaceAll("'", '`')}: write strict JSON, without comments or trailing commas`
}
