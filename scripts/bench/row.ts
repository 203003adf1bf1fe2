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
  readonly target?: Target
}

/** The most, or the least, that the ratio or the value itself may be. */
type Target = { readonly of: 'ratio' | 'value' } & ({ readonly max: number } | { readonly min: number })

export function toRow({ name, value, unit, comparedWith, target }: Measured): Row {
  const judged = target?.of === 'ratio' ? comparedWith?.ratio : value
  if (target !== undefined && judged === undefined) throw new Error(`Cannot judge "${name}": it has no ratio`)
  return {
    name,
    value: round(value),
    unit,
    compared_with: comparedWith?.name ?? null,
    ratio: comparedWith === undefined ? null : round(comparedWith.ratio),
    target: target === undefined ? null : `${target.of} ${'max' in target ? `<= ${target.max}` : `>= ${target.min}`}`,
    met: target === undefined || judged === undefined ? null : meets(judged, target),
  }
}

/** Of the number as it was measured, not as it is shown. */
const meets = (judged: number, target: Target): boolean =>
  'max' in target ? judged <= target.max : judged >= target.min

/** Four significant digits: the next ones are noise. */
const round = (value: number): number => Number(value.toPrecision(4))
