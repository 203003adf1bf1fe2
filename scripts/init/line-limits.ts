import { ENTRIES_MAX, PATTERN_CHARACTERS_MAX } from '#gpu-worker/gates/settings-fields.ts'
import type { SettingsFile } from '#gpu-worker/gates/settings-schema.ts'
import { LINES_MAX_DEFAULT } from '#shared/protocol/limits.ts'

type LineLimit = NonNullable<NonNullable<SettingsFile['checks']>['line_limit']>

/**
 * The usual limit, and for each longer file its own length, so that it can only shrink. Where there are more of them than
 * entries, the limit itself is higher.
 */
export function chooseLineLimits(lineCounts: ReadonlyMap<string, number>): { limits: LineLimit; note: string | null } {
  const long = [...lineCounts]
    .filter(([, lines]) => lines > LINES_MAX_DEFAULT)
    .map(([path, lines]) => ({ glob: toGlob(path), lines }))
    .toSorted((one, other) => other.lines - one.lines || (one.glob < other.glob ? -1 : 1))
  const unnamed = long.filter(({ glob }) => glob.length > PATTERN_CHARACTERS_MAX).map(({ lines }) => lines)
  const lines = Math.max(LINES_MAX_DEFAULT, long[ENTRIES_MAX]?.lines ?? 0, ...unnamed)
  const files = long.filter((each) => each.lines > lines)
  const note =
    long.length === 0
      ? null
      : `${long.length} files of code are longer than ${LINES_MAX_DEFAULT} lines: ${files.length} of them keep their length as their own limit${lines === LINES_MAX_DEFAULT ? '' : `, and the limit of all is ${lines}`}`
  return { limits: { lines, ...(files.length === 0 ? {} : { files }) }, note }
}

/** The glob that matches this path and no other. */
export function toGlob(path: string): string {
  const escaped = path.replace(/[[{]/g, '[$&]')
  // Without a slash it would be a name in any folder.
  return path.includes('/') ? escaped : `/${escaped}`
}
