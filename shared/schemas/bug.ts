import * as v from 'valibot'

/** Where the bugs stand in the repository, as the user's own tools expect it. */
export const BUGS_PATH = 'AGENT_bugs.json'

/** Worst first. */
export const BugSeverity = v.picklist(['critical', 'high', 'medium', 'low'])
export type BugSeverity = v.InferOutput<typeof BugSeverity>

/** One entry of the list of bugs. What nobody said is an empty text, so that every entry has every field. */
export const Bug = v.strictObject({
  /** `BUG-001` and up. Given once and never changed. */
  id: v.string(),
  severity: BugSeverity,
  category: v.string(),
  title: v.string(),
  description: v.string(),
  location: v.string(),
  impact: v.string(),
  workaround: v.string(),
  /** `open` as it is reported; people write `resolved`, or a word of their own. */
  status: v.string(),
  /** ISO 8601 in UTC, to the second. */
  created: v.string(),
})
export type Bug = v.InferOutput<typeof Bug>

const isCounts = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((count) => typeof count === 'number')

export const BugStatistics = v.strictObject({
  total: v.number(),
  by_severity: v.strictObject({ critical: v.number(), high: v.number(), medium: v.number(), low: v.number() }),
  /** Not `v.record`, which drops `constructor`, `prototype` and `__proto__`: a category may have any name. */
  by_category: v.pipe(v.unknown(), v.check(isCounts, 'must be an object of numbers')),
  open: v.number(),
  resolved: v.number(),
})
export type BugStatistics = v.InferOutput<typeof BugStatistics>
