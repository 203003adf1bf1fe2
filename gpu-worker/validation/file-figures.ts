import type { FileCheck } from '../ports/file-checker.ts'

/** How large and how complex one file is. The two complexities are those of its worst function; null for what has none. */
export interface FileFigures {
  readonly lines: number
  readonly functions: number | null
  readonly cyclomatic: number | null
  readonly cognitive: number | null
}

export type FiguresOfFile = FileFigures & { readonly path: string }

/** Files of a report: a map of them shows no more, and they take less than a megabyte and a half of a message. */
const FILES_MAX = 5000

export const toFileFigures = ({ lineCount, complexity }: FileCheck): FileFigures => ({
  lines: lineCount,
  functions: complexity?.functions.length ?? null,
  cyclomatic: complexity?.cyclomatic ?? null,
  cognitive: complexity?.cognitive ?? null,
})

/** The largest files, in order of path. */
export const largestFiles = (files: readonly FiguresOfFile[]): readonly FiguresOfFile[] =>
  files
    .toSorted((one, other) => other.lines - one.lines || (one.path < other.path ? -1 : 1))
    .slice(0, FILES_MAX)
    .toSorted((one, other) => (one.path < other.path ? -1 : 1))
