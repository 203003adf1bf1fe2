import * as v from 'valibot'
import { type IssueKind, issueKinds } from '#shared/schemas/validation.ts'

/** What one look at the repository said of it. */
export interface TrendPoint {
  readonly jobId: string
  /** In ms since the epoch. */
  readonly time: number
  /** The commit that the work tree was based on; null where nobody noted it. */
  readonly commit: string | null
  readonly files: number
  /** Of `run_all_validations`. */
  readonly findings: number | null
  readonly totals: Readonly<Partial<Record<IssueKind, number>>>
  /** Of `check_compliance`. */
  readonly score: number | null
}

/** A job that ended well, with what its tool said. */
export interface EndedLook {
  readonly job_id: string
  readonly finished_at: string
  readonly result: Readonly<Record<string, unknown>>
}

/** What both tools have, as any version of this server kept it. */
const Result = v.object({
  files_checked: v.number(),
  commit: v.optional(v.nullable(v.string()), null),
  score: v.optional(v.number()),
  totals: v.optional(v.record(v.string(), v.number())),
})

/** The looks in the order of their time. What is no answer of the two tools is left out. */
export function toTrend(looks: readonly EndedLook[]): TrendPoint[] {
  return looks.flatMap(toPoint).toSorted((one, other) => one.time - other.time)
}

function toPoint({ job_id, finished_at, result }: EndedLook): TrendPoint[] {
  const parsed = v.safeParse(Result, result)
  if (!parsed.success) return []
  const { files_checked, commit, score = null, totals } = parsed.output
  const known = Object.fromEntries(issueKinds.map((kind) => [kind, totals?.[kind] ?? 0]))
  return [
    {
      jobId: job_id,
      time: Date.parse(finished_at),
      commit,
      files: files_checked,
      score,
      findings: totals === undefined ? null : Object.values(known).reduce((sum, count) => sum + count, 0),
      totals: totals === undefined ? {} : known,
    },
  ]
}

/** One row for a commit: the last that was said of each figure while it was the newest. What has no commit stands alone. */
export function byCommit(points: readonly TrendPoint[]): TrendPoint[] {
  const rows: TrendPoint[] = []
  for (const point of points) {
    const last = rows.at(-1)
    if (last === undefined || point.commit === null || last.commit !== point.commit) {
      rows.push(point)
      continue
    }
    rows[rows.length - 1] = {
      ...point,
      score: point.score ?? last.score,
      findings: point.findings ?? last.findings,
      totals: point.findings === null ? last.totals : point.totals,
    }
  }
  return rows
}
