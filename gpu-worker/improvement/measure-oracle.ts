import { AppError } from '#shared/errors.ts'
import type { Measurement } from '#shared/tools/improvement-outcome.ts'
import type { MeasureSettings } from '../gates/measure-settings.ts'
import { SETTINGS_PATH } from '../gates/settings.ts'
import type { Candidate, CommandRunner } from '../ports/command-runner.ts'
import { held, type Oracle, refused } from './oracle.ts'
import type { Tell } from './plan.ts'
import { chanceOfLower, median } from './rank-test.ts'

/** A change that is smaller is not worth a change of code, however sure it is. */
const FASTER_PERCENT_MIN = 3
/** Of a hundred changes that bring nothing, less than one is kept. */
const CHANCE_MAX = 0.01

/**
 * A command of the repository's choice whose time must fall, beyond what chance explains. It runs on the file of before and
 * on the candidate in turns (before, after, after, before, ...), so that whatever else the machine does meets both.
 *
 * Rejects with `unavailable` where it cannot run here, and with `checks_failed` where it fails on the repository as it is.
 */
export async function createMeasureOracle(
  runner: CommandRunner,
  measure: MeasureSettings,
  path: string,
  signal: AbortSignal,
  tell: Tell,
): Promise<Oracle> {
  const obstacle = await runner.obstacle(measure.run)
  if (obstacle !== null) {
    throw new AppError('unavailable', `Cannot measure with "${measure.name}": ${obstacle}`, {
      hint: 'Tell the person who runs the worker; nothing was changed',
    })
  }
  tell(`Measuring with "${measure.name}"`)
  const first = await timeOf(runner, measure, [], signal)
  if (typeof first === 'string') {
    throw new AppError('checks_failed', `Cannot measure with "${measure.name}": it fails before any change: ${first}`, {
      hint: `Mend the command or what it runs; it stands in ${SETTINGS_PATH} under measures`,
    })
  }
  return {
    rule: 'measure',
    asks: `The command "${measure.name}" takes less time than before (${Math.round(first)} ms)`,
    async judge(text, judgeSignal) {
      const times = await timeInTurns(runner, measure, { path, text }, judgeSignal, tell)
      if (typeof times === 'string')
        return refused([`The command "${measure.name}" fails with this file: ${times}. Keep what the code does`])
      const found = toMeasurement(measure, times)
      const facts = { measurement: found }
      const change = `${found.before.median_ms} ms before and ${found.after.median_ms} ms now (medians of ${measure.runs} runs)`
      if (found.faster_percent >= FASTER_PERCENT_MIN && found.chance < CHANCE_MAX)
        return held(`"${measure.name}" took ${change}, ${found.faster_percent} % less`, facts)
      return refused(
        [`This is not faster: "${measure.name}" took ${change}. Find what takes the time, and do less of it`],
        facts,
      )
    },
  }
}

interface Times {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** Runs both in turns; what a run says where it fails. */
async function timeInTurns(
  runner: CommandRunner,
  measure: MeasureSettings,
  candidate: Candidate,
  signal: AbortSignal,
  tell: Tell,
): Promise<Times | string> {
  const before: number[] = []
  const after: number[] = []
  // The first run of each finds caches cold and is not counted.
  for (let round = 0; round <= measure.runs; round++) {
    tell(`Measuring with "${measure.name}": ${round} of ${measure.runs}`)
    const order = round % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const)
    for (const side of order) {
      const time = await timeOf(runner, measure, side === 'before' ? [] : [candidate], signal)
      if (typeof time === 'string') return time
      if (round > 0) (side === 'before' ? before : after).push(time)
    }
  }
  return { before, after }
}

/** The milliseconds of one run, or what went wrong. */
async function timeOf(
  runner: CommandRunner,
  { run, timeoutMs, scratchFolders }: MeasureSettings,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<number | string> {
  const outcome = await runner.run({ commandLine: run, candidates, scratchFolders, timeoutMs }, signal)
  if (outcome.kind === 'stopped') return outcome.limit
  return outcome.status === 0 ? outcome.durationMs : `exit status ${outcome.status}: ${outcome.output}`
}

/** What two rows of times say. Milliseconds with one decimal. */
export function toMeasurement({ name, runs }: Pick<MeasureSettings, 'name' | 'runs'>, times: Times): Measurement {
  const [was, is] = [median(times.before), median(times.after)]
  return {
    measure: name,
    runs,
    before: spreadOf(times.before),
    after: spreadOf(times.after),
    faster_percent: was === 0 ? 0 : round((100 * (was - is)) / was),
    chance: chanceOfLower(times.before, times.after),
  }
}

const spreadOf = (times: readonly number[]): Measurement['before'] => ({
  median_ms: round(median(times)),
  min_ms: round(Math.min(...times)),
  max_ms: round(Math.max(...times)),
})

const round = (value: number): number => Math.round(value * 10) / 10
