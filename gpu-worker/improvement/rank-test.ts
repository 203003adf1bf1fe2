/**
 * How likely it is that `after` lies as low against `before` by chance, where nothing became lower: the one-sided exact
 * test of Mann and Whitney. Equal values count half. It asks nothing of how times are distributed, and one that was
 * disturbed counts as one rank and no more.
 */
export function chanceOfLower(before: readonly number[], after: readonly number[]): number {
  const [m, n] = [before.length, after.length]
  if (m === 0 || n === 0) return 1
  // Pairs in which the value of after is the higher one.
  const higher = after.reduce(
    (sum, each) => sum + before.reduce((own, other) => own + (each > other ? 1 : each === other ? 0.5 : 0), 0),
    0,
  )
  const counts = arrangements(m, n)
  const all = counts.reduce((sum, each) => sum + each, 0)
  const asLow = counts.reduce((sum, each, rank) => sum + (rank <= Math.ceil(higher) ? each : 0), 0)
  return asLow / all
}

/** Of the ways to mix `m` values with `n` others: how many have each number of pairs in which the other is the higher one. */
function arrangements(m: number, n: number): number[] {
  // ways[j][u]: with j of the others placed so far.
  let ways = Array.from({ length: n + 1 }, () => [1])
  for (let i = 1; i <= m; i++) {
    const next: number[][] = [[1]]
    for (let j = 1; j <= n; j++) next.push(add(ways[j] ?? [], shift(next[j - 1] ?? [], i)))
    ways = next
  }
  return ways[n] ?? []
}

const shift = (counts: readonly number[], by: number): number[] => [...Array<number>(by).fill(0), ...counts]

const add = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, at) => (a[at] ?? 0) + (b[at] ?? 0))

/** The middle of the values; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[half - 1] ?? 0, sorted[half] ?? 0]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}
