/** The nearest-rank percentile: the smallest sample that at least `share` (0 to 1) of all samples do not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('Cannot compute a percentile: no samples')
  return value
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/**
 * How much larger `values` is than `others`, each measured once per round: the median of the rounds' own ratios. What
 * slows the machine for a while slows both sides of a round, so that it hardly shows.
 */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  if (values.length !== others.length) {
    throw new Error(`Cannot compare: ${values.length} rounds with ${others.length}`)
  }
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)))
}
