import { describe, expect, it } from 'vitest'
import { applyEdits } from './edits.ts'

describe('applyEdits', () => {
  it('applies edits in turn, each on what the one before left', () => {
    const edits = [
      { search: 'a', replace: 'b' },
      { search: 'b', replace: 'c' },
    ]
    expect(applyEdits('f', 'a\n', edits)).toBe('c\n')
  })

  it('takes the replacement as plain text', () => {
    expect(applyEdits('f', 'x', [{ search: 'x', replace: "$& $1 $'" }])).toBe("$& $1 $'")
  })

  it.each([
    ['missing', 'abc', { search: 'x', replace: '' }, 'occurs 0 times, expected 1'],
    ['not unique', 'a a', { search: 'a', replace: '' }, 'occurs 2 times, expected 1'],
    ['missing with all', 'abc', { search: 'x', replace: '', all: true }, 'expected at least 1'],
  ])('refuses a search that is %s', (_what, text, edit, message) => {
    expect(() => applyEdits('f', text, [edit])).toThrow(message)
  })

  it.each([
    ['a'.repeat(20_000), 2],
    ['a'.repeat(1000), 200],
  ])('refuses edits that would make far more than a file of a few bytes', (replace, count) => {
    const edits = Array.from({ length: count }, () => ({ search: 'a', replace, all: true }))
    expect(() => applyEdits('f', 'a', edits)).toThrow(/^Cannot edit "f": edit \d of \d+ makes \d+ characters of it/)
  })

  it('replaces every place with all', () => {
    expect(applyEdits('f', 'a-a', [{ search: 'a', replace: 'b', all: true }])).toBe('b-b')
  })

  it('matches LF searches in a CRLF file and keeps its line ends', () => {
    expect(applyEdits('f', 'a\r\nb\r\nc\r\n', [{ search: 'a\nb\n', replace: 'x\n' }])).toBe('x\r\nc\r\n')
  })
})
