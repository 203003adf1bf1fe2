import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'
import { createDiffReader, type DiffPage, parseDiffCursor, showDiffCursor } from './simple-git-diff-page.ts'

/** Reads a diff in pieces of this size, from a cursor on. */
function read(diff: Buffer, cursor: Parameters<typeof createDiffReader>[0], pieceBytes = 5000): DiffPage {
  const reader = createDiffReader(cursor)
  for (let at = 0; at < diff.byteLength; at += pieceBytes) reader.add(diff.subarray(at, at + pieceBytes))
  return reader.end()
}

function readAll(diff: Buffer, pieceBytes?: number): string[] {
  const pages: string[] = []
  let cursor: Parameters<typeof createDiffReader>[0] = null
  do {
    const page = read(diff, cursor, pieceBytes)
    pages.push(page.diff)
    // Over the wire a cursor is text.
    cursor = page.next === null ? null : parseDiffCursor(showDiffCursor(page.next))
  } while (cursor !== null && pages.length < 1000)
  return pages
}

const hunk = (lines: number, text: string): string => `@@ -1,${lines} +1,${lines} @@\n${`+${text}\n`.repeat(lines)}`

describe('createDiffReader', () => {
  it.each([
    ['nothing', ''],
    ['less than a page', hunk(3, 'short')],
    ['exactly a page', '+'.repeat(DIFF_BYTES_MAX)],
    ['a byte more than a page', '+'.repeat(DIFF_BYTES_MAX + 1)],
    ['many hunks', hunk(300, 'some text').repeat(50)],
    ['one long hunk', hunk(20_000, 'some text')],
    ['lines longer than a page', `+${'x'.repeat(3 * DIFF_BYTES_MAX)}\n`.repeat(3)],
    ['characters of several bytes in a long line', `+${'é漢🙂'.repeat(DIFF_BYTES_MAX)}\n`],
  ])('makes pages of %s that are the whole when they are joined', (_what, text) => {
    const diff = Buffer.from(text)
    for (const pieceBytes of [1 + (diff.byteLength >> 4), 65_536]) {
      const pages = readAll(diff, pieceBytes)
      expect(createHash('sha256').update(pages.join('')).digest('hex')).toBe(
        createHash('sha256').update(text).digest('hex'),
      )
      expect(pages.every((page) => Buffer.byteLength(page) <= DIFF_BYTES_MAX)).toBe(true)
      expect(pages.length).toBe(Math.max(1, pages.filter((page) => page !== '').length))
    }
  })

  it('makes of text that is no UTF-8 what the whole would have been', () => {
    const diff = Buffer.concat([Buffer.from(`+${'x'.repeat(DIFF_BYTES_MAX - 2)}`), Buffer.alloc(50, 0xbf)])
    expect(readAll(diff).join('')).toBe(diff.toString('utf8'))
  })

  it('begins a page with a hunk where there is one to begin with', () => {
    const pages = readAll(Buffer.from(hunk(300, 'some text').repeat(50)))
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.every((page) => page.startsWith('@@ '))).toBe(true)
  })

  it('refuses a cursor of another diff, and one behind the end', () => {
    const diff = Buffer.from(hunk(20_000, 'some text'))
    const { next } = read(diff, null)
    if (next === null) throw new Error('The diff fits on a page')
    const other = Buffer.from(diff)
    other[diff.byteLength - 2] = 0x2e
    expect(() => read(other, next)).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(() => read(Buffer.alloc(0), next)).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(() => read(diff, { ...next, offset: diff.byteLength })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    )
    expect(read(diff, next).diff).not.toBe('')
  })

  it.each([
    'x',
    '--output=x',
    '-1-0',
    '0',
    `999999999-${'0'.repeat(32)}`,
    `1-${'0'.repeat(31)}`,
    `1-${'G'.repeat(32)}`,
  ])('does not take %j for a cursor', (text) => {
    expect(() => parseDiffCursor(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
