import { describe, expect, it } from 'vitest'
import { indentStyle, otherIndentation, restoreIndentation } from './indentation.ts'

describe('restoreIndentation', () => {
  it.each<[string, string, string, string]>([
    ['tabs, by the width of a shared line', 'a\n\tb\n', 'a\n   b\n      c\n', 'a\n\tb\n\t\tc\n'],
    ['tabs, by the least indentation where no line is shared', 'a\n\tb\n', 'x\n    y\n        z\n', 'x\n\ty\n\t\tz\n'],
    ['the spaces that align a continued line', 'a(\n\tb\n', 'a(\n    b\n      c\n', 'a(\n\tb\n\t  c\n'],
    ['spaces', 'a\n  b\n', 'a\n\tb\n\t\tc\n', 'a\n  b\n    c\n'],
    ['a line that was indented so before', 'a\n\tb\n\tb\n\tb\n  text\n', 'a\n    b\n  text\n', 'a\n\tb\n  text\n'],
  ])('brings back %s', (_what, before, text, expected) => {
    expect(restoreIndentation(text, before)).toBe(expected)
  })

  it.each<[string, string, string]>([
    ['a text as the file has it', 'a\n\tb\n', 'a\n\tb\n\tc\n'],
    ['a text that mixes both', 'a\n\tb\n', 'a\n\tb\n    c\n'],
    ['a text for a file that mixes both', 'a\n\tb\n    c\n', 'a\n    b\n    c\n'],
    ['a text for a file without indentation', 'a\n', 'a\n\tb\n'],
  ])('leaves alone %s', (_what, before, text) => {
    expect(restoreIndentation(text, before)).toBe(text)
  })
})

describe('otherIndentation', () => {
  it('names the first new line that is indented otherwise', () => {
    expect(otherIndentation('a\n\tb\n    c\n', 'a\n\tb\n')).toBe(3)
    expect(otherIndentation('a\n\tb\n    c\n', 'a\n\tb\n\tb\n\tb\n    c\n')).toBeNull()
    expect(otherIndentation('a\n\tb\n', null)).toBeNull()
  })
})

describe('indentStyle', () => {
  it('does not count one space in front, which comments have', () => {
    expect(indentStyle('/**\n * a\n */\n\tb\n')).toBe('tabs')
    expect(indentStyle(' a\n')).toBeNull()
  })
})
