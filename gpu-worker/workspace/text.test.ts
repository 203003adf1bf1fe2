import { describe, expect, it } from 'vitest'
import { ANSWER_BYTES_MAX } from '#shared/protocol/limits.ts'
import { countLines, cutMiddle, decodeText, encodeText, pageLines } from './text.ts'

describe('decodeText and encodeText', () => {
  it('keep every byte of UTF-8 text, byte-order mark and line endings included', () => {
    const bytes = new TextEncoder().encode('\uFEFFä\r\nb')
    expect(encodeText('a', decodeText('a', bytes), 100)).toEqual(bytes)
  })

  it.each([
    ['binary data', new Uint8Array([1, 0, 2]), 'binary'],
    ['Latin-1', new Uint8Array([0xe4, 0x0a]), 'not UTF-8'],
  ])('refuse %s', (_what, bytes, message) => {
    expect(() => decodeText('a', bytes)).toThrow(message)
  })

  it('refuse half a surrogate pair and what is too large', () => {
    expect(() => encodeText('a', 'x\uD800y', 100)).toThrow('surrogate')
    expect(() => encodeText('a', 'ääää', 7)).toThrow('8 bytes, limit 7')
  })
})

describe('countLines', () => {
  it.each([
    ['', 0],
    ['a', 0],
    ['a\n', 1],
    ['a\nb', 1],
    ['a\r\nb\r\n', 2],
  ])('counts the newlines of %j as %i', (text, expected) => {
    expect(countLines(text)).toBe(expected)
  })
})

describe('pageLines', () => {
  it('gives a text back whole when its pages are joined', () => {
    const text = Array.from({ length: 25 }, (_, index) => `line ${index}`).join('\n')
    let joined = ''
    for (let offset: number | null = 0; offset !== null; ) {
      const page = pageLines(text, offset, 4)
      joined += page.content
      offset = page.nextOffset
    }
    expect(joined).toBe(text)
  })

  it('is empty behind the end', () => {
    expect(pageLines('a\nb\n', 5, 10)).toEqual({ content: '', nextOffset: null })
  })

  it('ends a page at the size of an answer, but always gives one line', () => {
    const long = `${'x'.repeat(ANSWER_BYTES_MAX + 10)}\n`
    expect(pageLines(`${long}b\n`, 0, 100)).toEqual({ content: long, nextOffset: 1 })
    expect(pageLines(`a\n${long}`, 0, 100)).toEqual({ content: 'a\n', nextOffset: 1 })
  })
})

describe('cutMiddle', () => {
  it('keeps how a text begins and ends, and whole characters', () => {
    expect(cutMiddle('abcdef', 3, 3)).toBe('abcdef')
    expect(cutMiddle('abcdefg', 3, 3)).toBe('abc\n[... 1 characters cut ...]\nefg')
    expect(cutMiddle('😀'.repeat(9), 1, 1).isWellFormed()).toBe(true)
  })
})
