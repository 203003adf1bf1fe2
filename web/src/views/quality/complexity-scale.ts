/** One colour of the map: complexities up to `upTo`. */
export interface ScaleStep {
  readonly name: string
  readonly upTo: number
}

/**
 * Steps of cognitive complexity, told apart by lightness as well, for eyes that see no colours. 15 is where the default
 * rule draws its line; a function of 25 and more is one that few can follow.
 */
export const scaleSteps: readonly ScaleStep[] = [
  { name: '0 to 3', upTo: 3 },
  { name: '4 to 8', upTo: 8 },
  { name: '9 to 15', upTo: 15 },
  { name: '16 to 25', upTo: 25 },
  { name: 'above 25', upTo: Number.POSITIVE_INFINITY },
]

/** The index of the step; null for a file without code that can be measured. */
export const stepOf = (complexity: number | null): number | null =>
  complexity === null ? null : scaleSteps.findIndex(({ upTo }) => complexity <= upTo)
