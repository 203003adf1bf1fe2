/** Things that may be there several times. `take` removes one and says whether there was one. */
export interface Bag {
  take(item: string): boolean
}

export function createBag(items: Iterable<string>): Bag {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return {
    take(item) {
      const count = counts.get(item) ?? 0
      if (count > 0) counts.set(item, count - 1)
      return count > 0
    },
  }
}
