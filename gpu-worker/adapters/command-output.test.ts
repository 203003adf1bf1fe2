import { describe, expect, it } from 'vitest'
import { createOutputTail } from './command-output.ts'

const textOf = (chunks: readonly (string | Buffer)[], hidden: readonly string[] = []): string => {
  const output = createOutputTail()
  for (const chunk of chunks) output.add(Buffer.from(chunk))
  return output.text(hidden)
}

describe('createOutputTail', () => {
  it('keeps a short output whole, whatever the pieces', () => {
    expect(textOf(['a\nb', '\r\nc', '\n'])).toBe('a\nb\nc\n')
    expect(textOf([Buffer.from([0xc3]), Buffer.from([0xa9])])).toBe('é')
  })

  it('keeps how a long one began and ended, however it comes', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`)
    for (const chunks of [lines, [lines.join('')]]) {
      const text = textOf(chunks)
      expect(text.startsWith('line 0\nline 1\n')).toBe(true)
      expect(text.endsWith('line 99998\nline 99999\n')).toBe(true)
      expect(text).toContain('cut')
      expect(text.length).toBeLessThan(3100)
    }
  })

  it('cuts no character in half, which no message could carry', () => {
    for (const characters of [5000, 50_000]) {
      for (const before of ['', 'a']) {
        const text = textOf([before + '😀'.repeat(characters)])
        expect(text).toContain('cut')
        expect(text.isWellFormed()).toBe(true)
      }
    }
  })

  it('takes out colours, progress bars, bells and folders', () => {
    expect(textOf(['\u001b[31mred\u001b[0m\u0007 \u001b]0;title\u0007/home/u/p/a.py\n'], ['/home/u/p/'])).toBe(
      'red a.py\n',
    )
    expect(textOf(['10%\r50%\r100%\ndone\n'])).toBe('100%\ndone\n')
  })
})
