import { describe, expect, it } from 'vitest'
import { readClaims } from './readme-text.ts'

describe('readClaims', () => {
  it('finds names that can only be names of code', () => {
    const text =
      'Call `total(items)`, `User.save`, `two_words`, `twoWords` or `await fetch_all(a, b)`; not `npm install`, `true`, `pip` or `x`.\n'
    expect(readClaims(text).names).toEqual(['total', 'User.save', 'two_words', 'twoWords', 'fetch_all'])
  })

  it('leaves out what stands in fences', () => {
    expect(readClaims('a\n\n```python\n`other_name()`\n[x](gone.md)\n```\n\n`here_name`\n')).toEqual({
      names: ['here_name'],
      links: [],
    })
    expect(readClaims('````\n```\n`in_fence`\n```\n````\n`out_fence`\n').names).toEqual(['out_fence'])
  })

  it('finds links into the repository', () => {
    const text =
      '[a](docs/a.md#part) ![b](<img/b.png> "B") [c](https://example.org/x) [d](#top) [e](mailto:a@example.org)\n\n[ref]: ../c%20d.md\n'
    expect(readClaims(text).links).toEqual(['docs/a.md', 'img/b.png', '../c d.md'])
  })

  it('takes no link from a code span', () => {
    expect(readClaims('`[a](b.md)`\n').links).toEqual([])
  })
})
