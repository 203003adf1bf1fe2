/** A line with nothing on it but tags. */
const TAGS_ALONE = /^[ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+$/

export interface JoinedLines {
  readonly text: string
  /** The line of the original that a place of the joined text comes from; all count from 1. */
  readonly lineOf: (line: number, column: number) => number
}

/** Where a line of the original begins in the joined text. */
interface Origin {
  readonly column: number
  readonly line: number
}

/**
 * A Liquid text in which lines that hold only tags leave no line behind, so that a loop over lines of code reads as it is
 * rendered. Within `{% raw %}` every line stays.
 */
export function joinTagLines(source: string): JoinedLines {
  const origins: Origin[][] = [[]]
  let text = ''
  let column = 1
  let isRaw = false
  const lines = source.split('\n')
  for (const [index, line] of lines.entries()) {
    const wasRaw = isRaw
    if (/\{%-?\s*raw\s*-?%\}/.test(line)) isRaw = true
    if (/\{%-?\s*endraw\s*-?%\}/.test(line)) isRaw = false
    const isJoined = !wasRaw && !isRaw && TAGS_ALONE.test(line)
    const shown = isJoined ? line.trim() : line
    origins.at(-1)?.push({ column, line: index + 1 })
    text += shown
    column += shown.length
    if (isJoined || index === lines.length - 1) continue
    text += '\n'
    column = 1
    origins.push([])
  }
  const lineOf = (line: number, at: number): number =>
    origins[line - 1]?.findLast((origin) => origin.column <= at)?.line ?? lines.length
  return { text, lineOf }
}
