import type { Clock } from '../ports/clock.ts'

export interface OpenLimit {
  /** Null where this subject may open one more now, else the milliseconds until it may. */
  tryOpen(subject: string): number | null
}

/** Subjects that are remembered; the oldest window goes first, so that nobody fills the memory with names. */
const SUBJECTS_MAX = 10_000

/** At most `opensMax` in each window of `windowMs`, for each subject by itself. */
export function createOpenLimit(opensMax: number, windowMs: number, clock: Clock): OpenLimit {
  const windows = new Map<string, { startedAt: number; opens: number }>()
  return {
    tryOpen(subject) {
      const now = clock.now()
      const current = windows.get(subject)
      if (current !== undefined && now - current.startedAt < windowMs) {
        if (current.opens >= opensMax) return current.startedAt + windowMs - now
        current.opens++
        return null
      }
      windows.delete(subject)
      windows.set(subject, { startedAt: now, opens: 1 })
      const [oldest] = windows.keys()
      if (windows.size > SUBJECTS_MAX && oldest !== undefined) windows.delete(oldest)
      return null
    },
  }
}
