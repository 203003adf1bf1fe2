import { AppError } from '#shared/errors.ts'
import type { TestComparison } from '#shared/tools/improvement-outcome.ts'
import type { TestCounts, TestRun, TestRunRequest, TestSuite } from '../ports/test-suite.ts'
import type { Tell } from './plan.ts'

// Test runs as oracles look at them: by the names of tests, before and after.

/** Runs tests on the repository as it is. Null where there are none; rejects otherwise as TestSuite does. */
export async function runBefore(
  suite: TestSuite,
  paths: TestRunRequest['paths'],
  signal: AbortSignal,
  tell: Tell,
): Promise<TestRun | null> {
  try {
    return await suite.run({ paths, candidates: [] }, signal, ({ message }) => tell(message))
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return null
    throw error
  }
}

/**
 * Runs tests on candidates. A text is what says why there is no result: none ran, the run did not end in time, or its report
 * cannot be believed. Where tests ran before, the candidate is to blame for that. Rejects with `cancelled`.
 */
export async function runCandidate(
  suite: TestSuite,
  request: TestRunRequest,
  signal: AbortSignal,
  tell: Tell,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Promise<TestRun | string> {
  const inTime = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : null
  try {
    const until = inTime === null ? signal : AbortSignal.any([signal, inTime])
    return await suite.run(request, until, ({ message }) => tell(message))
  } catch (error) {
    if (!(error instanceof AppError) || signal.aborted) throw error
    if (error.code === 'cancelled') return `the tests did not end within ${Math.round(timeoutMs / 1000)} s`
    if (error.code === 'not_found') return 'no test ran'
    if (error.code === 'unavailable' || error.code === 'timeout')
      return error.hint === undefined ? error.message : `${error.message} (${error.hint})`
    throw error
  }
}

/** Tests of a run that passed, each as often as it is there. */
export const passedIn = (run: TestRun): readonly string[] =>
  run.tests.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name)

/** Tests that passed before and do not now: failed, skipped or gone. */
export function findBroken(before: TestRun, after: TestRun): string[] {
  const now = new Map<string, number>()
  for (const name of passedIn(after)) now.set(name, (now.get(name) ?? 0) + 1)
  const broken = new Set<string>()
  for (const name of passedIn(before)) {
    const left = now.get(name) ?? 0
    // A list that was cut may lack what passed; then the counts decide.
    if (left === 0 && after.tests_left_out === 0) broken.add(name)
    else now.set(name, left - 1)
  }
  return [...broken]
}

/** As `pytest` or `node, vitest`. */
export const runnersOf = (run: TestRun): string => [...new Set(run.runners.map(({ runner }) => runner))].join(', ')

const countsOf = ({ passed, failed, skipped }: TestCounts): TestCounts => ({ passed, failed, skipped })

export const compareRuns = (before: TestRun | null, after: TestRun): TestComparison => ({
  runner: runnersOf(after),
  before: before === null ? null : countsOf(before),
  after: countsOf(after),
})
