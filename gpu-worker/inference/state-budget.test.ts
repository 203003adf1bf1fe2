import { describe, expect, it } from 'vitest'
import { chooseStateBytes } from './state-budget.ts'

const GIB = 2 ** 30

describe('chooseStateBytes', () => {
  it.each([
    ['a large machine', 2000 * GIB, 64 * GIB, 8 * GIB],
    ['little memory', 2000 * GIB, 8 * GIB, 4 * GIB],
    ['a filling disk', 20 * GIB, 64 * GIB, 2 * GIB],
    ['a full disk', GIB, 64 * GIB, 0],
    ['no disk at all', 0, 64 * GIB, 0],
  ])('keeps to what %s can spare', (_name, diskFree, memory, bytes) => {
    expect(chooseStateBytes({ diskFree, memory })).toBe(bytes)
  })
})
