import { expect, it } from 'vitest'
import { createSeededRandom } from './seeded-random.ts'

it('repeats itself for the same seed, and differs for another', () => {
  const drawn = (seed: number): number[] => {
    const random = createSeededRandom(seed)
    return Array.from({ length: 20 }, () => random.below(1000))
  }
  expect(drawn(7)).toEqual(drawn(7))
  expect(drawn(7)).not.toEqual(drawn(8))
  expect(new Set(drawn(7)).size).toBeGreaterThan(10)
  expect(drawn(7).every((each) => Number.isInteger(each) && each >= 0 && each < 1000)).toBe(true)
})

it('shuffles without losing or doubling a member', () => {
  const members = Array.from({ length: 30 }, (_, index) => index)
  const shuffled = createSeededRandom(1).shuffle(members)
  expect(shuffled).not.toEqual(members)
  expect(shuffled.toSorted((left, right) => left - right)).toEqual(members)
})
