import { describe, expect, it } from 'vitest'
import { squarify } from './squarify.ts'

const box = { x: 10, y: 20, width: 600, height: 400 }

describe('squarify', () => {
  it('gives each its share, and fills the box without overlaps', () => {
    const sizes = [6, 6, 4, 3, 2, 2, 1]
    const pieces = squarify(sizes, box)
    expect(pieces).toHaveLength(sizes.length)
    for (const [index, piece] of pieces.entries()) {
      expect(piece.width * piece.height).toBeCloseTo(((sizes[index] ?? 0) / 24) * 240_000, 3)
      expect(piece.x).toBeGreaterThanOrEqual(9.999)
      expect(piece.y).toBeGreaterThanOrEqual(19.999)
      expect(piece.x + piece.width).toBeLessThanOrEqual(610.001)
      expect(piece.y + piece.height).toBeLessThanOrEqual(420.001)
    }
    for (const [index, one] of pieces.entries()) {
      for (const other of pieces.slice(index + 1)) {
        const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x)
        const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y)
        expect(Math.min(across, down)).toBeLessThan(0.001)
      }
    }
  })

  it('divides as the paper shows it', () => {
    // The example of the paper: 6, 6, 4, 3, 2, 2, 1 in a box of 6 by 4.
    const [first, second, third] = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 })
    expect(first).toEqual({ x: 0, y: 0, width: 3, height: 2 })
    expect(second).toEqual({ x: 0, y: 2, width: 3, height: 2 })
    expect(third?.x).toBe(3)
    expect(third?.width).toBeCloseTo(12 / 7)
  })

  it('has nothing to divide', () => {
    expect(squarify([], box)).toEqual([])
    expect(squarify([5], box)).toEqual([box])
  })
})
