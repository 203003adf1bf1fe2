import type { Mutant } from '../ports/source-parser.ts'

/** A text with one thing broken in it. */
export function applyMutant(text: string, { start, end, replacement }: Mutant): string {
  const mark = text.startsWith('\uFEFF') ? 1 : 0
  return `${text.slice(0, start + mark)}${replacement}${text.slice(end + mark)}`
}

/**
 * The mutants to try, at most `countMax`: first each function without its body, then of each function in turn one of its
 * other breaks, so that no part of the code goes without.
 */
export function chooseMutants(mutants: readonly Mutant[], countMax: number): Mutant[] {
  const emptied = mutants.filter(({ kind }) => kind === 'emptied')
  const byFunction = [...Map.groupBy(mutants, (each) => each.function).values()].map((each) =>
    each.filter(({ kind }) => kind === 'changed'),
  )
  const rounds = Math.max(0, ...byFunction.map(({ length }) => length))
  const changed = Array.from({ length: rounds }, (_, round) => byFunction.flatMap((each) => each[round] ?? [])).flat()
  // Both kinds get their share: a function that does nothing is the easier one to notice.
  const emptiedMax = Math.max(countMax - changed.length, Math.ceil(countMax / 2))
  const first = spread(emptied, emptiedMax)
  return [...first, ...changed.slice(0, countMax - first.length)]
}

/** At most `countMax` of a list, from all over it. */
function spread<T>(list: readonly T[], countMax: number): T[] {
  if (list.length <= countMax) return [...list]
  return Array.from({ length: countMax }, (_, at) => list[Math.floor((at * list.length) / countMax)]).flatMap((each) =>
    each === undefined ? [] : [each],
  )
}
