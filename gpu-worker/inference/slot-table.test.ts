import { describe, expect, it } from 'vitest'
import { SlotTable } from './slot-table.ts'

describe('the slots of a context', () => {
  it('are used from the lowest on, and a caller comes back to its own', () => {
    const table = new SlotTable(3)
    expect([table.take('a'), table.take('b')]).toEqual([0, 1])
    table.release(0)
    table.release(1)
    expect(table.take('b')).toBe(1)
    expect(table.take('c')).toBe(2)
    expect(table.take('a')).toBe(0)
  })

  it('go to a new caller least recently used first, never from under a call', () => {
    const table = new SlotTable(2)
    for (const key of ['a', 'b', 'a']) table.release(table.take(key))
    expect(table.take('c')).toBe(1)
    expect(table.take('d')).toBe(0)
    expect(() => table.take('e')).toThrow(/taken/)
  })

  it('serve a caller whose own is taken with another', () => {
    const table = new SlotTable(2)
    expect([table.take('a'), table.take('a')]).toEqual([0, 1])
  })
})
