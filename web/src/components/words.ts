/** Figures and times as people read them. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function toBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export const toCount = (count: number): string => count.toLocaleString('en')

/** `1 job`, `2 jobs`. */
export const counted = (count: number, one: string, several = `${one}s`): string =>
  `${toCount(count)} ${count === 1 ? one : several}`

export function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export const toMoment = (iso: string): string =>
  new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })

/** The name of a tool or a rule: `run_tests` as `Run tests`. */
export const toTitle = (name: string): string => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll('_', ' ')
