import { AppError } from '#shared/errors.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { TestRun, TestSuite } from '../ports/test-suite.ts'
import type { Baseline } from './run-record.ts'

/** What the tests said before anything was changed; no baseline where they could say nothing, and why. */
export async function takeBaseline(
  suite: TestSuite,
  signal: AbortSignal,
  onProgress: (progress: JobProgress) => void,
): Promise<{ readonly baseline: Baseline | null; readonly note: string }> {
  try {
    const run = await suite.run({ paths: null, candidates: [] }, signal, onProgress)
    if (run.passed === 0)
      return { baseline: null, note: 'No test passed before the run, so none can show that one was broken' }
    const passed = run.tests.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name)
    return { baseline: { counts: toCounts(run), passed }, note: 'The tests have not been run again' }
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'cancelled') throw error
    const note =
      error.code === 'not_found'
        ? 'The repository has no tests: what was kept is proven by the checks and figures of each step alone'
        : `The tests cannot be run here: ${error.message}. What was kept is proven by each step's other proofs alone`
    return { baseline: null, note }
  }
}

export const toCounts = ({ passed, failed, skipped }: TestRun): Baseline['counts'] => ({ passed, failed, skipped })

/** The tests that passed before and do not now; one that is gone does not pass. */
export function brokenSince(baseline: Baseline, run: TestRun): string[] {
  const passing = new Set(run.tests.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name))
  const known = run.tests_left_out === 0
  // Of more tests than are listed, those that are said to have failed are all that can be known.
  const failed = new Set(run.failures.map(({ name }) => name))
  return baseline.passed.filter((name) => (known ? !passing.has(name) : failed.has(name)))
}
