import { createHash } from 'node:crypto'
import { AppError } from '#shared/errors.ts'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'

/** Of a diff, in bytes: about a million lines. What is longer is read path by path. */
export const WHOLE_DIFF_BYTES_MAX = 64 * 1024 * 1024
/** Hexadecimal digits of a cursor's hash: by chance, two diffs have the same once in 2^128. */
const DIGEST_LENGTH = 32
/** The longest character of UTF-8 has three bytes behind its first. */
const CONTINUATION_BYTES_MAX = 3

/** Where a page begins, and in which diff. */
export interface DiffCursor {
  readonly offset: number
  /** Of the whole diff, so that pages of two different ones are never put together. */
  readonly digest: string
}

export interface DiffPage {
  /** Joined, the texts of all pages are the text of the whole. */
  readonly diff: string
  /** Null on the last page. */
  readonly next: DiffCursor | null
}

/** Reads a whole diff as it comes, and keeps one page of it. */
export interface DiffReader {
  add(chunk: Buffer): void
  /** Bytes that are still taken. */
  bytesLeft(): number
  /** Throws `conflict` where the cursor is another diff's, `invalid_input` where it leads behind the end. */
  end(): DiffPage
}

const cursorText = /^(\d{1,8})-([0-9a-f]{32})$/u

/** Throws `invalid_input` for what `showCursor` did not make. */
export function parseDiffCursor(text: string): DiffCursor {
  const match = cursorText.exec(text)
  if (match === null) throw notACursor()
  return { offset: Number(match[1]), digest: match[2] ?? '' }
}

export const showDiffCursor = ({ offset, digest }: DiffCursor): string => `${offset}-${digest}`

/** A reader for the page at `cursor`; null is the first. */
export function createDiffReader(cursor: DiffCursor | null): DiffReader {
  const offset = cursor?.offset ?? 0
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let total = 0
  return {
    add(chunk) {
      // The same bytes count, however they come in pieces.
      const taken = chunk.subarray(0, WHOLE_DIFF_BYTES_MAX - total)
      hash.update(taken)
      const [from, to] = [offset - total, offset + DIFF_BYTES_MAX - total]
      if (to > 0 && from < taken.byteLength) kept.push(taken.subarray(Math.max(0, from), to))
      total += taken.byteLength
    },
    bytesLeft: () => WHOLE_DIFF_BYTES_MAX - total,
    end() {
      const digest = hash.digest('hex').slice(0, DIGEST_LENGTH)
      if (cursor !== null && cursor.digest !== digest) throw changedMeanwhile()
      if (offset > 0 && offset >= total) throw notACursor()
      const window = Buffer.concat(kept)
      const isLast = offset + window.byteLength === total
      const page = isLast ? window : window.subarray(0, placeToCut(window))
      return {
        diff: page.toString('utf8'),
        next: isLast ? null : { offset: offset + page.byteLength, digest },
      }
    },
  }
}

/** Before the hunk that does not fit; where that would leave half of the page empty, after a line; else after a character. */
function placeToCut(window: Buffer): number {
  const hunk = Math.max(window.lastIndexOf('\n@@ '), window.lastIndexOf('\ndiff --git ')) + 1
  if (hunk > window.byteLength / 2) return hunk
  const line = window.lastIndexOf('\n') + 1
  if (line > 0) return line
  for (let back = 0; back <= CONTINUATION_BYTES_MAX; back += 1) {
    const place = window.byteLength - 1 - back
    if (((window[place] ?? 0) & 0xc0) !== 0x80) return place
  }
  return window.byteLength
}

const notACursor = (): AppError =>
  new AppError('invalid_input', 'Cannot diff: this cursor is not one of git_diff', {
    hint: 'Pass next_cursor as it was returned, or none',
  })

const changedMeanwhile = (): AppError =>
  new AppError('conflict', 'Cannot diff: the diff is not the one that this cursor belongs to', {
    hint: 'Files have changed meanwhile, or the other arguments are not the same: begin again without a cursor',
  })
