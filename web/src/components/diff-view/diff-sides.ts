/** One side of a change: its lines, and the number that each has in its file; null for a gap between two hunks. */
export interface DiffSide {
  readonly text: string
  readonly numbers: readonly (number | null)[]
}

export interface DiffSides {
  readonly before: DiffSide
  readonly after: DiffSide
  readonly insertions: number
  readonly deletions: number
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/
const GAP = '⋯'

/** The two sides of a unified diff of one file, as far as it shows them. What stands before its first hunk is its head. */
export function toSides(diff: string): DiffSides {
  const before: [string, number | null][] = []
  const after: [string, number | null][] = []
  let [old, now, insertions, deletions] = [0, 0, 0, 0]
  let isInHunk = false
  for (const line of diff.split('\n')) {
    const hunk = HUNK.exec(line)
    if (hunk !== null) {
      ;[old, now] = [Number(hunk[1]), Number(hunk[2])]
      const isFirst = !isInHunk
      isInHunk = true
      if (isFirst && Math.max(old, now) <= 1) continue
      before.push([GAP, null])
      after.push([GAP, null])
    } else if (isInHunk && line.startsWith('-')) {
      before.push([line.slice(1), old++])
      deletions++
    } else if (isInHunk && line.startsWith('+')) {
      after.push([line.slice(1), now++])
      insertions++
    } else if (isInHunk && line.startsWith(' ')) {
      before.push([line.slice(1), old++])
      after.push([line.slice(1), now++])
    }
  }
  return { before: toSide(before), after: toSide(after), insertions, deletions }
}

const toSide = (lines: readonly (readonly [string, number | null])[]): DiffSide => ({
  text: lines.map(([text]) => text).join('\n'),
  numbers: lines.map(([, number]) => number),
})
