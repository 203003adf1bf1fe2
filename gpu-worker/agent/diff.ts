import { formatPatch, structuredPatch } from 'diff'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'

export interface TextDiff {
  /** Unified diff with git's file names; empty where nothing changed. */
  readonly diff: string
  /** The diff was cut, at a line, to stay within DIFF_BYTES_MAX. */
  readonly truncated: boolean
  readonly insertions: number
  readonly deletions: number
}

/** How long a comparison may take before the file is simply shown as replaced. */
const COMPARE_MS_MAX = 300

/** The change from one text to another; null stands for a file that is not there. */
export function diffTexts(path: string, before: string | null, after: string | null): TextDiff {
  if (before === after) return { diff: '', truncated: false, insertions: 0, deletions: 0 }
  const oldName = before === null ? '/dev/null' : `a/${path}`
  const newName = after === null ? '/dev/null' : `b/${path}`
  const patch =
    structuredPatch(oldName, newName, before ?? '', after ?? '', undefined, undefined, {
      context: 3,
      timeout: COMPARE_MS_MAX,
    }) ?? replaceAll(oldName, newName, before ?? '', after ?? '')
  let insertions = 0
  let deletions = 0
  for (const hunk of patch.hunks) {
    for (const line of hunk.lines) {
      if (line.startsWith('+')) insertions++
      else if (line.startsWith('-')) deletions++
    }
  }
  // The library puts a rule above the names that git does not write.
  const whole = formatPatch(patch).replace(/^=+\n/, '')
  const diff = cutAtLine(whole, DIFF_BYTES_MAX)
  return { diff, truncated: diff.length < whole.length, insertions, deletions }
}

/** A patch that takes every old line out and puts every new line in. */
function replaceAll(
  oldName: string,
  newName: string,
  before: string,
  after: string,
): ReturnType<typeof structuredPatch> {
  const oldLines = toLines(before)
  const newLines = toLines(after)
  const marked = (sign: string, text: string, lines: string[]) => [
    ...lines.map((line) => sign + line),
    ...(text === '' || text.endsWith('\n') ? [] : ['\\ No newline at end of file']),
  ]
  return {
    oldFileName: oldName,
    newFileName: newName,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: [
      {
        oldStart: oldLines.length === 0 ? 0 : 1,
        oldLines: oldLines.length,
        newStart: newLines.length === 0 ? 0 : 1,
        newLines: newLines.length,
        lines: [...marked('-', before, oldLines), ...marked('+', after, newLines)],
      },
    ],
  }
}

function toLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The longest run of whole lines from the start that fits. */
function cutAtLine(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.byteLength <= bytesMax) return text
  return bytes.subarray(0, bytes.lastIndexOf(10, bytesMax - 1) + 1).toString('utf8')
}
