interface Named {
  readonly name: string
  readonly values: readonly (number | null)[]
}

/** A chart in a sentence: how long, and of each line the last value and its bounds. */
export function chartSummary(
  title: string,
  times: readonly number[],
  series: readonly Named[],
  format: (value: number) => string,
): string {
  const [first] = times
  const last = times.at(-1)
  if (first === undefined || last === undefined) return `${title}: nothing yet`
  const parts = series.flatMap(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    const latest = known.at(-1)
    if (latest === undefined) return []
    const lowest = known.reduce((one, other) => Math.min(one, other))
    const highest = known.reduce((one, other) => Math.max(one, other))
    return [`${name} ${format(latest)} at last, from ${format(lowest)} to ${format(highest)}`]
  })
  return `${title}, ${times.length} ${times.length === 1 ? 'time' : 'times'} from ${toTime(first)} to ${toTime(last)}: ${parts.join('; ')}`
}

const toTime = (time: number): string => new Date(time).toLocaleString()
