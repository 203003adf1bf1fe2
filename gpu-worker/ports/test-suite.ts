import type { JobProgress } from '#shared/schemas/job.ts'
import type { Candidate } from './command-runner.ts'

/** The programs whose reports we can read. */
export const testRunnerNames = ['pytest', 'vitest', 'jest', 'node', 'go', 'cargo'] as const
export type TestRunnerName = (typeof testRunnerNames)[number]

/** A test runner that the repository uses, by its configuration or by what it holds. */
export interface FoundRunner {
  /** Its name in millwright.json; else that of the runner, with its folder where that is not the top. */
  readonly name: string
  readonly runner: TestRunnerName
  /** The repository path in which it runs; empty for the top. */
  readonly folder: string
  /** What says so: a file, or a key of millwright.json. */
  readonly because: string
  /** Why it cannot run here, and what to do about it; null where it can. */
  readonly obstacle: string | null
}

export interface TestRunRequest {
  /** Repository paths of files and folders to which the run is limited; null runs all tests. */
  readonly paths: readonly string[] | null
  /** Texts as they are to be, in place of files or beside them: the tests run on them before anything is written. */
  readonly candidates: readonly Candidate[]
}

export type TestOutcome = 'passed' | 'failed' | 'skipped'

export interface TestCase {
  /** As its runner tells it, with its file and groups; the same in each run. */
  readonly name: string
  readonly outcome: TestOutcome
}

export interface TestFailure {
  readonly name: string
  /** A repository path; null where the runner does not tell one. */
  readonly file: string | null
  readonly line: number | null
  /** Cut to about a thousand characters. */
  readonly message: string
}

export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What one runner said. */
export interface RunnerResult extends TestCounts {
  readonly name: string
  readonly runner: TestRunnerName
  /** As it was run, without our own additions for the report. */
  readonly command: readonly string[]
  readonly duration_ms: number
  /** What it printed, head and tail kept. */
  readonly output: string
}

/** What all runners said together: counts added up. */
export interface TestRun extends TestCounts {
  readonly runners: readonly RunnerResult[]
  /** The first ones. `failed` is how many there are. */
  readonly failures: readonly TestFailure[]
  /** All of them, up to a bound; `tests_left_out` is how many are not in it. */
  readonly tests: readonly TestCase[]
  readonly tests_left_out: number
  readonly duration_ms: number
  /** What the runners printed, head and tail kept. */
  readonly output: string
  /** False where they ran with all the rights of the worker, because the operator said so. */
  readonly sandboxed: boolean
}

/**
 * The tests of the repository, on its files as they are or as they are to be. Nothing in the repository is changed. They run
 * as CommandRunner runs things: sandboxed, within limits, no more than two runs at once.
 */
export interface TestSuite {
  /** The runners that the repository uses; none where it has no tests. Rejects with `invalid_input` for a wrong configuration. */
  find(signal?: AbortSignal): Promise<readonly FoundRunner[]>
  /**
   * Runs the tests. Tests that fail are a result and no refusal; what could not be collected or compiled is a failed test.
   * Rejects with AppError: `not_found` where there is no runner, or no test ran; `unavailable` where tests cannot run here
   * (the hint says what to install) or a runner's report cannot be believed: missing, cut, in contradiction to its exit status;
   * `timeout` where it took longer than its limit; `cancelled` within a second of the signal, with no process left.
   */
  run(request: TestRunRequest, signal: AbortSignal, onProgress?: (progress: JobProgress) => void): Promise<TestRun>
}
