/** A bounded number of things that stay open, for each subject by itself. */
export interface OpenPlaces {
  /** Takes one; null where this subject has all that it may. What it gives is called, once or more, when the place is free again. */
  take(subject: string): (() => void) | null
}

export function createOpenPlaces(placesMax: number): OpenPlaces {
  const taken = new Map<string, number>()
  return {
    take(subject) {
      const count = taken.get(subject) ?? 0
      if (count >= placesMax) return null
      taken.set(subject, count + 1)
      let given = false
      return () => {
        if (given) return
        given = true
        const left = (taken.get(subject) ?? 1) - 1
        if (left === 0) taken.delete(subject)
        else taken.set(subject, left)
      }
    },
  }
}
