import type { Row } from './row.ts'

const headings = ['figure', 'value', 'unit', 'ratio', 'compared with', 'target', 'met'] as const
/** Numbers line up at their right. */
const numeric = new Set<string>(['value', 'ratio'])

/** The rows as text in columns, for a terminal. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(toCells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)))
  const format = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return numeric.has(headings[column] ?? '') ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const [first = headings, ...others] = lines
  return [format(first), widths.map((width) => '-'.repeat(width)).join('  '), ...others.map(format)].join('\n')
}

function toCells(row: Row): string[] {
  return [
    row.name,
    String(row.value),
    row.unit,
    row.ratio === null ? '' : `${row.ratio}x`,
    row.compared_with ?? '',
    row.target ?? '',
    row.met === null ? '' : row.met ? 'yes' : 'NO',
  ]
}
