/** One figure, as the report has it. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What `ratio` is relative to: something measured in the same run. */
  readonly compared_with: string | null
  readonly ratio: number | null
  readonly target: string | null
  readonly met: boolean | null
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly comparedWith?: { readonly name: string; readonly ratio: number }
  /** The most that the ratio, or the value itself, may be. */
  readonly target?: { readonly of: 'ratio' | 'value'; readonly max: number }
}

export function toRow({ name, value, unit, comparedWith, target }: Measured): Row {
  const judged = target?.of === 'ratio' ? comparedWith?.ratio : value
  if (target !== undefined && judged === undefined) throw new Error(`Cannot judge "${name}": it has no ratio`)
  return {
    name,
    value: round(value),
    unit,
    compared_with: comparedWith?.name ?? null,
    ratio: comparedWith === undefined ? null : round(comparedWith.ratio),
    target: target === undefined ? null : `${target.of} <= ${target.max}`,
    // Of the number as it was measured, not as it is shown.
    met: target === undefined || judged === undefined ? null : judged <= target.max,
  }
}

/** Four significant digits: the next ones are noise. */
const round = (value: number): number => Number(value.toPrecision(4))
