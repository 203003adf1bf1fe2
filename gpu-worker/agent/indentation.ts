type Style = 'tabs' | 'spaces'

interface Counts {
  readonly tabs: number
  readonly spaces: number
}

/** Lines that begin with a tab, and with two spaces or more. One space in front is a comment's, as in ` * text`. */
function countIndented(text: string): Counts {
  return { tabs: text.match(/^\t/gm)?.length ?? 0, spaces: text.match(/^ {2}/gm)?.length ?? 0 }
}

/** What a text is indented with; null where that is not clear. */
export function indentStyle(text: string): Style | null {
  const { tabs, spaces } = countIndented(text)
  if (tabs > 0 && tabs >= spaces * 3) return 'tabs'
  return spaces > 0 && spaces >= tabs * 3 ? 'spaces' : null
}

/**
 * Gives a text the indentation of the file that it replaces, where the model turned all tabs into spaces or all spaces
 * into tabs. How many spaces stand for a tab is seen in the lines that both have. A text that mixes both is left alone.
 */
export function restoreIndentation(text: string, before: string): string {
  const style = indentStyle(before)
  const { tabs, spaces } = countIndented(text)
  const isTurned = (style === 'tabs' && tabs === 0 && spaces > 0) || (style === 'spaces' && spaces === 0 && tabs > 0)
  if (!isTurned) return text
  const spaced = style === 'tabs' ? text : before
  const width = tabWidth(style === 'tabs' ? before : text, spaced)
  const known = new Set(before.split('\n'))
  return text
    .split('\n')
    .map((line) => (known.has(line) ? line : style === 'tabs' ? toTabs(line, width) : toSpaces(line, width)))
    .join('\n')
}

/** Spaces per tab: what most of the lines say that two texts share, or else the least indentation of the spaced one. */
function tabWidth(tabbed: string, spaced: string): number {
  const depths = new Map<string, number>()
  for (const line of tabbed.split('\n')) depths.set(line.trim(), /^\t*/.exec(line)?.[0].length ?? 0)
  const votes = new Map<number, number>()
  let least = 8
  for (const line of spaced.split('\n')) {
    const spaces = /^ */.exec(line)?.[0].length ?? 0
    if (spaces < 2 || line.trim() === '') continue
    least = Math.min(least, spaces)
    const width = spaces / (depths.get(line.trim()) ?? 0)
    if (Number.isInteger(width)) votes.set(width, (votes.get(width) ?? 0) + 1)
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? least
}

const toTabs = (line: string, width: number): string =>
  line.replace(/^ +/, (run) => '\t'.repeat(Math.floor(run.length / width)) + ' '.repeat(run.length % width))

const toSpaces = (line: string, width: number): string => line.replace(/^\t+/, (run) => ' '.repeat(run.length * width))

/** The first line (from 1) that is indented otherwise than the file is, and was not in it; null where there is none. */
export function otherIndentation(text: string, before: string | null): number | null {
  const style = before === null || before === '' ? null : indentStyle(before)
  const { tabs, spaces } = countIndented(text)
  if (tabs === 0 || spaces === 0 || (style === null && before !== null && before !== '')) return null
  const other = (style ?? (tabs > spaces ? 'tabs' : 'spaces')) === 'tabs' ? /^ {2}\s*\S/ : /^\t\s*\S/
  const known = new Set((before ?? '').split('\n'))
  const line = text.split('\n').findIndex((each) => other.test(each) && !known.has(each))
  return line < 0 ? null : line + 1
}
