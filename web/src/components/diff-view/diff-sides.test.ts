import { describe, expect, it } from 'vitest'
import { toSides } from './diff-sides.ts'

const head = '--- a/a.py\n+++ b/a.py\n'

describe('toSides', () => {
  it('gives each line the number that it has in its own file', () => {
    const sides = toSides(`${head}@@ -1,3 +1,4 @@\n one\n-two\n+2\n+2.5\n three\n`)
    expect(sides).toEqual({
      before: { text: 'one\ntwo\nthree', numbers: [1, 2, 3] },
      after: { text: 'one\n2\n2.5\nthree', numbers: [1, 2, 3, 4] },
      insertions: 2,
      deletions: 1,
    })
  })

  it('shows a gap before each hunk that does not begin its file', () => {
    const { before, after } = toSides(`${head}@@ -10,2 +10,1 @@\n x\n-y\n@@ -40 +39 @@\n-a\n+b\n`)
    expect(before).toEqual({ text: '⋯\nx\ny\n⋯\na', numbers: [null, 10, 11, null, 40] })
    expect(after).toEqual({ text: '⋯\nx\n⋯\nb', numbers: [null, 10, null, 39] })
  })

  it('takes a file that is new or gone, and lines that look like the head of a diff', () => {
    expect(toSides('--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+--- x\n+++ y\n').after.text).toBe('--- x\n++ y')
    expect(toSides(`${head}@@ -1,1 +0,0 @@\n--- x\n\\ No newline at end of file\n`)).toMatchObject({
      before: { text: '-- x' },
      after: { text: '' },
      deletions: 1,
    })
    expect(toSides('')).toMatchObject({ insertions: 0, deletions: 0 })
  })
})
