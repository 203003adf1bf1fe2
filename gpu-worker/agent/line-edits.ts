/** New lines in place of some of a text. Lines count from 1; an insertion after line N has `from` N + 1 and `to` N. */
export interface LineEdit {
  readonly from: number
  readonly to: number
  readonly lines: readonly string[]
}

/** The lines of a text as a reader counts them: what follows the last line end is one only where it is not empty. */
export function toLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Where a line of the new text comes from. */
export type Origin =
  /** The line of that number in the old text. */
  | { readonly kind: 'kept'; readonly line: number }
  /** A line of an edit; both count from 1. */
  | { readonly kind: 'new'; readonly edit: number; readonly line: number }

export interface Edited {
  readonly lines: readonly string[]
  /** Of each of them. */
  readonly origins: readonly Origin[]
}

/** Makes edits that name lines of one text, in order and apart from each other: see `orderEdits`. */
export function applyEdits(text: readonly string[], edits: readonly LineEdit[]): Edited {
  const lines: string[] = []
  const origins: Origin[] = []
  let next = 1
  const keepUntil = (end: number): void => {
    for (; next < end; next++) {
      lines.push(text[next - 1] ?? '')
      origins.push({ kind: 'kept', line: next })
    }
  }
  for (const [index, edit] of edits.entries()) {
    keepUntil(edit.from)
    for (const [at, line] of edit.lines.entries()) {
      lines.push(line)
      origins.push({ kind: 'new', edit: index + 1, line: at + 1 })
    }
    next = edit.to + 1
  }
  keepUntil(text.length + 1)
  return { lines, origins }
}

/** Edits from top to bottom, those of one place as they were; or the first two that name the same lines. */
export function orderEdits<Edit extends LineEdit>(
  edits: readonly Edit[],
): { readonly ordered: Edit[] } | { readonly overlap: readonly [Edit, Edit] } {
  const ordered = edits.toSorted((a, b) => a.from - b.from || a.to - b.to)
  for (const [index, edit] of ordered.entries()) {
    const next = ordered[index + 1]
    if (next !== undefined && next.from <= edit.to) return { overlap: [edit, next] }
  }
  return { ordered }
}
