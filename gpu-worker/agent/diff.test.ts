import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'
import { diffTexts } from './diff.ts'

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `line ${index + from}\n`).join('')

/** What `git apply` makes of a diff: the judge of whether it is right. */
function applied(path: string, before: string | null, diff: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-diff-'))
  try {
    if (before !== null) writeFileSync(join(folder, path), before)
    execFileSync('git', ['apply', '--whitespace=nowarn', '-'], { cwd: folder, input: diff })
    try {
      return readFileSync(join(folder, path), 'utf8')
    } catch {
      return null
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('diffTexts', () => {
  it.each([
    ['a changed line', 'a\nb\nc\n', 'a\nx\nc\n'],
    ['a new file', null, 'a\nb\n'],
    ['a new file without a final newline', null, 'a'],
    ['a removed file', 'a\nb\n', null],
    ['a lost final newline', 'a\nb\n', 'a\nb'],
    ['a won final newline', 'a', 'a\n'],
    ['CRLF line ends', 'a\r\nb\r\n', 'a\r\nc\r\n'],
    ['two distant places', numbered(60), numbered(60).replace('line 5\n', 'x\n').replace('line 50\n', 'y\n')],
    ['an emptied file', 'a\n', ''],
  ])('describes %s so that git can apply it', (_what, before, after) => {
    const { diff, truncated } = diffTexts('file.txt', before, after)
    expect(truncated).toBe(false)
    expect(applied('file.txt', before, diff)).toBe(after)
  })

  it('counts lines and is empty where nothing changed', () => {
    expect(diffTexts('f', 'a\nb\n', 'a\nc\nd\n')).toMatchObject({ insertions: 2, deletions: 1 })
    expect(diffTexts('f', 'a', 'a')).toEqual({ diff: '', truncated: false, insertions: 0, deletions: 0 })
  })

  it('cuts a long diff at a line and says so', () => {
    const { diff, truncated, insertions } = diffTexts('f', null, numbered(20_000))
    expect(truncated).toBe(true)
    expect(Buffer.byteLength(diff)).toBeLessThanOrEqual(DIFF_BYTES_MAX)
    expect(diff.endsWith('\n')).toBe(true)
    expect(insertions).toBe(20_000)
  })

  it('shows the file as replaced where a comparison would take too long', () => {
    // Two texts without a common line: the worst case of every line diff.
    const before = numbered(15_000)
    const after = numbered(15_000, 1_000_000)
    expect(diffTexts('f', before, after)).toMatchObject({ insertions: 15_000, deletions: 15_000 })
  })
})
