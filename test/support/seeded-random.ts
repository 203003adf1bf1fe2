/** A source of chance that a seed repeats. */
export interface SeededRandom {
  /** At least 0 and less than `below`, in whole numbers. */
  below(below: number): number
  /** The same members in another order. */
  shuffle<T>(members: readonly T[]): T[]
}

/** Mulberry32: 32 bits of state, good enough to choose moments with. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    shuffle(members) {
      const left = [...members]
      return members.flatMap(() => left.splice(below(left.length), 1))
    },
  }
}
