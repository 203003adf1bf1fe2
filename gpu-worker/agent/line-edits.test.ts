import { describe, expect, it } from 'vitest'
import { applyEdits, orderEdits, toLines } from './line-edits.ts'

const text = ['a', 'b', 'c', 'd']
const edit = (from: number, to: number, ...lines: string[]) => ({ from, to, lines })

describe('applyEdits', () => {
  it.each([
    ['a replacement', [edit(2, 3, 'x')], 'axd'],
    ['a deletion', [edit(1, 2)], 'cd'],
    ['all of it', [edit(1, 4, 'x', 'y')], 'xy'],
    ['an insertion at the top', [edit(1, 0, 'x')], 'xabcd'],
    ['an insertion at the end', [edit(5, 4, 'x', 'y')], 'abcdxy'],
    ['several', [edit(1, 0, 'o'), edit(1, 1, 'A'), edit(2, 1, 'p'), edit(3, 3), edit(5, 4, 'z')], 'oApbdz'],
  ])('makes %s', (_what, edits, expected) => {
    expect(applyEdits(text, edits).lines.join('')).toBe(expected)
  })

  it('knows where each line comes from', () => {
    expect(applyEdits(text, [edit(2, 3, 'x', 'y'), edit(5, 4, 'z')]).origins).toEqual([
      { kind: 'kept', line: 1 },
      { kind: 'new', edit: 1, line: 1 },
      { kind: 'new', edit: 1, line: 2 },
      { kind: 'kept', line: 4 },
      { kind: 'new', edit: 2, line: 1 },
    ])
  })
})

describe('orderEdits', () => {
  it('brings edits into order, and leaves those of one place as they were', () => {
    const edits = [edit(5, 4, 'x'), edit(3, 3), edit(5, 4, 'y'), edit(1, 0, 'z')]
    expect(orderEdits(edits)).toEqual({ ordered: [edits[3], edits[1], edits[0], edits[2]] })
  })

  it.each([
    [edit(2, 3), edit(3, 4)],
    [edit(1, 4), edit(2, 2)],
    // An insertion into lines that are replaced.
    [edit(1, 3), edit(2, 1, 'x')],
    [edit(2, 2, 'x'), edit(2, 2, 'y')],
  ])('tells two that name the same lines', (one, other) => {
    expect(orderEdits([other, one])).toEqual({ overlap: expect.arrayContaining([one, other]) })
  })

  it('lets an insertion stand before and behind lines that are replaced', () => {
    const edits = [edit(2, 1, 'x'), edit(2, 3, 'y'), edit(4, 3, 'z')]
    expect(orderEdits(edits.toReversed())).toEqual({ ordered: edits })
  })
})

describe('toLines', () => {
  it('counts as a reader does', () => {
    expect(toLines('a\nb\n')).toEqual(['a', 'b'])
    expect(toLines('a\n\n')).toEqual(['a', ''])
    expect(toLines('a')).toEqual(['a'])
    expect(toLines('')).toEqual([])
  })
})
