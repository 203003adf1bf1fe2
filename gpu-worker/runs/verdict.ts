import { AppError } from '#shared/errors.ts'
import type { CommandOutcome } from '../ports/command-runner.ts'
import { cutMiddle } from '../workspace/text.ts'
import { runnerKinds } from './kinds.ts'
import type { RunnerPlan } from './plan.ts'
import { type ReportedTest, type RunPlace, withOwnNames, withoutRoot } from './report.ts'

/** A runner's tests, and what it printed. */
export interface Verdict {
  readonly tests: readonly ReportedTest[]
  readonly output: string
}

/** As much as a runner's own output has at most. */
const OUTPUT_HEAD = 1000
const OUTPUT_TAIL = 2000

/**
 * What a run has shown. Exit status and report must say the same: a status of failure without a failed test is a failed run,
 * and all other contradictions are refused, so that nothing passes by a report that is missing, cut or forged in haste.
 * `paths` are the files of the repository. Throws AppError: `timeout`, `unavailable`.
 */
export function judgeRun(plan: RunnerPlan, outcome: CommandOutcome, paths: readonly string[]): Verdict {
  if (outcome.kind === 'stopped') throw stopped(plan, outcome)
  const { status, report } = outcome
  const kind = runnerKinds[plan.runner]
  const place: RunPlace = { root: outcome.root, folder: plan.folder, paths }
  const text = report?.text ?? null
  const output = kind.reportFrom === 'output' ? toOutput(text ?? '', place) : outcome.output
  const refuse = (reason: string): AppError => unbelievable(plan, status, reason, output)
  if (text === null) throw refuse(`its report is too long (${report?.bytes ?? 0} bytes)`)
  if (text === '') {
    if (status === kind.nothingRan) return { tests: [], output }
    throw refuse('it left no report')
  }
  const reading = kind.read(text, place)
  if ('fault' in reading) throw refuse(`its report cannot be believed: ${reading.fault}`)
  const tests = withOwnNames(reading.tests.map((test) => ({ ...test, name: withoutRoot(test.name, place) })))
  const hasFailed = tests.some((test) => test.outcome === 'failed')
  if (status === 0 && hasFailed) throw refuse('its report tells of failed tests')
  if (status === 0 || hasFailed)
    return { tests: [...tests, ...silentFiles(plan, reading.untested ?? [], tests)], output }
  if (tests.length === 0 && status === kind.nothingRan) return { tests, output }
  if (tests.length === 0) throw refuse('it ran no test')
  const message = `${plan.runner} ended with exit status ${status} although no test failed: see its output`
  const run: ReportedTest = {
    name: `(${plan.name})`,
    outcome: 'failed',
    failure: () => ({ file: null, line: null, message }),
  }
  return { tests: [...tests, run], output }
}

/**
 * Test files whose tests are missing from a report that has others: node takes a file for passed that ended by itself before
 * its tests, as when what it tests calls `process.exit(0)`. Helpers that lie beside test files have none.
 */
function silentFiles(
  plan: RunnerPlan,
  untested: readonly string[],
  tests: readonly ReportedTest[],
): readonly ReportedTest[] {
  if (tests.length === 0) return []
  const silent = untested.filter((file) => NAMED_AS_TEST.test(file) && plan.testFiles?.includes(file) === true)
  return silent.map((file) => {
    const message = 'No test in it ran: it ended before its tests, as by process.exit, or has none'
    return { name: file, outcome: 'failed', failure: () => ({ file, line: null, message }) }
  })
}

const NAMED_AS_TEST = /[._-](?:test|spec)\.[cm]?[jt]s$/

const toOutput = (text: string, place: RunPlace): string =>
  cutMiddle(withoutRoot(text, place).replaceAll(/(?![\n\t])\p{Cc}/gu, ''), OUTPUT_HEAD, OUTPUT_TAIL)

function stopped(plan: RunnerPlan, outcome: Extract<CommandOutcome, { kind: 'stopped' }>): AppError {
  const details = { runner: plan.name, output: outcome.output }
  const message = `Cannot finish the tests: ${plan.name} was stopped: ${outcome.limit}`
  if (outcome.why !== 'time') return new AppError('unavailable', message, { hint: LIMITS, details })
  return new AppError('timeout', message, {
    hint: 'Give paths to run fewer tests; a person raises timeout_s under tests in millwright.json',
    details,
  })
}

const LIMITS = 'Give paths to run fewer tests; what a run may use is in docs/configuration.md'

function unbelievable(plan: RunnerPlan, status: number, reason: string, output: string): AppError {
  const { missing, install } = runnerKinds[plan.runner]
  const isMissing = missing?.test(output) === true
  const hint = isMissing ? install : 'details.output is what it printed: mend what it names, then run again'
  return new AppError(
    'unavailable',
    isMissing
      ? `Cannot run the tests: ${plan.runner} is not installed`
      : `Cannot tell the outcome of the tests: ${plan.name} ended with exit status ${status}, and ${reason}`,
    { hint, details: { runner: plan.name, exit_status: status, output } },
  )
}
