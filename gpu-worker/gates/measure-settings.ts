import * as v from 'valibot'
import type { CommandLine } from '../ports/command-runner.ts'

// The `measures` of `millwright.json`: commands whose time says whether a change made something faster.

const RUNS_DEFAULT = 9
/** With fewer of each, no order of times is rare enough to be told from chance. */
const RUNS_MIN = 6
const RUNS_MAX = 50
const TIMEOUT_S_DEFAULT = 60

export const MeasureEntry = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _, at most 40'),
    v.description('What optimize_performance calls it'),
  ),
  run: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(2000))),
    v.minLength(1),
    v.maxLength(50),
    v.description('A program and its arguments, no shell. Its time is what is measured; it must exit with 0'),
  ),
  runs: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(RUNS_MIN), v.maxValue(RUNS_MAX), v.description('9 unless told')),
    RUNS_DEFAULT,
  ),
  timeout_s: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(600),
      v.description('Seconds of one run; 60 unless told'),
    ),
    TIMEOUT_S_DEFAULT,
  ),
})
export type MeasureEntry = v.InferOutput<typeof MeasureEntry>

export const MeasureList = v.pipe(
  v.array(MeasureEntry),
  v.maxLength(20),
  v.description('Commands whose time optimize_performance compares, in a sandbox'),
)

/** A command whose time is compared before and after a change. */
export interface MeasureSettings {
  readonly name: string
  readonly run: CommandLine
  /** Of each of the two. */
  readonly runs: number
  readonly timeoutMs: number
  readonly scratchFolders: readonly string[]
}

/** Calls `refuse` with the key and the reason for what the schema cannot say. */
export function toMeasures(
  entries: readonly MeasureEntry[],
  refuse: (key: string, reason: string) => Error,
): readonly MeasureSettings[] {
  const names = new Set<string>()
  return entries.map(({ name, run, runs, timeout_s }, index) => {
    const key = `measures.${index}`
    if (names.has(name)) throw refuse(`${key}.name`, `there are two measures "${name}"`)
    names.add(name)
    const [program, ...rest] = run
    if (program === undefined || run.some((each) => each.includes('\0')))
      throw refuse(`${key}.run`, 'must be a program and its arguments, without NUL characters')
    return { name, run: [program, ...rest], runs, timeoutMs: timeout_s * 1000, scratchFolders: [] }
  })
}
