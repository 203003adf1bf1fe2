import { describe, expect, it } from 'vitest'
import { StateShelf, type StoredState, sharedLength } from './state-shelf.ts'

/** Tokens that differ from those of every other `start` at once. */
const run = (length: number, start = 0): number[] => Array.from({ length }, (_, index) => start * 10_000 + index)
const stored = (owner: string, tokens: readonly number[], bytes = 100): StoredState => ({
  file: `${owner}-${tokens[0]}-${tokens.length}.state`,
  owner,
  tokens,
  bytes,
  checksum: 1,
})
const filled = (...states: StoredState[]): StateShelf => {
  const shelf = new StateShelf(300)
  for (const state of states) shelf.add(state)
  return shelf
}

describe('what is worth its writing', () => {
  it('are tokens that the next prompt does not share, and enough of them', () => {
    const shelf = filled()
    expect(shelf.isWorthWriting(run(256), [])).toBe(true)
    expect(shelf.isWorthWriting(run(255), [])).toBe(false)
    expect(shelf.isWorthWriting(run(1000), run(800))).toBe(false)
    expect(shelf.isWorthWriting(run(1000), run(700))).toBe(true)
    expect(shelf.isWorthWriting([], [])).toBe(false)
  })

  it('is not what a state holds already, except for many tokens', () => {
    const shelf = filled(stored('a', run(1000)))
    expect(shelf.isWorthWriting(run(1100), [])).toBe(false)
    expect(shelf.isWorthWriting(run(600), [])).toBe(false)
    expect(shelf.isWorthWriting(run(1256), [])).toBe(true)
    expect(shelf.isWorthWriting(run(1000, 1), [])).toBe(true)
  })
})

describe('what comes back', () => {
  it('is the state that shares most with the prompt, whosever it is', () => {
    const [short, long] = [stored('a', run(400)), stored('b', run(900))]
    const shelf = filled(long, short, stored('c', run(900, 1)))
    expect(shelf.findBetter(run(1000), [])).toBe(long)
    expect(shelf.findBetter([...run(500), 7, 7], [])).toBe(long)
  })

  it('is nothing where the slot has as much, or nearly', () => {
    const shelf = filled(stored('a', run(900)))
    expect(shelf.findBetter(run(1000), run(644))?.owner).toBe('a')
    expect(shelf.findBetter(run(1000), run(645))).toBe(null)
    expect(shelf.findBetter(run(1000), run(1000))).toBe(null)
    expect(shelf.findBetter(run(255), [])).toBe(null)
    expect(filled().findBetter(run(1000), [])).toBe(null)
  })

  it('is nothing that was removed', () => {
    const state = stored('a', run(900))
    const shelf = filled(state)
    shelf.remove(state)
    expect(shelf.findBetter(run(900), [])).toBe(null)
  })
})

describe('the budget', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((start) => stored(`agent ${start}`, run(500, start))) as [
    StoredState,
    StoredState,
    StoredState,
    StoredState,
  ]

  it('is kept by deleting the least recently used first', () => {
    const shelf = filled(a, b, c)
    shelf.touch(a)
    expect(shelf.add(d)).toEqual([b])
    expect(shelf.makeRoom('other', 150)).toEqual([c, a])
  })

  it('has no room for one that is larger', () => {
    const large = stored('large', run(500, 9), 301)
    const shelf = filled(a)
    expect(shelf.add(large)).toEqual([a, large])
    expect(shelf.findBetter(large.tokens, [])).toBe(null)
  })

  it('holds one state of each owner, but any number of those without a name', () => {
    const [older, one, two] = [stored('a', run(500, 5)), stored('', run(500, 6)), stored('', run(500, 7))]
    const shelf = filled(older, one, two)
    expect(shelf.makeRoom('a', 100)).toEqual([older])
    expect(shelf.makeRoom('', 100)).toEqual([])
  })

  it('counts a state that was written twice once, and deletes nothing for it', () => {
    const shelf = filled(a, b)
    expect(shelf.add({ ...a })).toEqual([])
    expect(shelf.add(c)).toEqual([])
    expect(shelf.findBetter(a.tokens, [])).toEqual(a)
  })

  it('does not bring back by a touch what is gone', () => {
    const shelf = filled(a)
    shelf.remove(a)
    shelf.touch(a)
    expect(shelf.findBetter(a.tokens, [])).toBe(null)
  })
})

describe('sharedLength', () => {
  it('counts from the start', () => {
    expect([sharedLength([1, 2, 3], [1, 2, 4]), sharedLength([1], [1, 2]), sharedLength([2, 1], [1, 1])]).toEqual([
      2, 1, 0,
    ])
  })
})
