import { writeFileSync } from 'node:fs'
import type { FullConfig, FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter'
import type { TestCounts } from './summary-reporter.ts'

/**
 * Counts Playwright's tests as `summary-reporter.ts` counts vitest's, into the file that MILLWRIGHT_TEST_SUMMARY names. A test
 * without a result (the run was cut off) and an error outside of every test count as failed.
 */
export default class BrowserSummaryReporter implements Reporter {
  #tests: TestCase[] = []
  #errors = 0

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#tests = suite.allTests()
  }

  onError(): void {
    this.#errors++
  }

  onEnd(_result: FullResult): void {
    const file = process.env.MILLWRIGHT_TEST_SUMMARY
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(this.#tests, this.#errors)))
  }

  printsToStdio(): boolean {
    return false
  }
}

function countTests(tests: readonly TestCase[], errors: number): TestCounts {
  const counts: TestCounts = { passed: 0, failed: errors, skipped: 0 }
  for (const test of tests) {
    // A test that never ran has the outcome "skipped", too; one that was skipped has a result that says so.
    const isSkipped = test.outcome() === 'skipped' && test.results.some(({ status }) => status === 'skipped')
    if (isSkipped) counts.skipped++
    else if (test.outcome() === 'expected') counts.passed++
    else counts.failed++
  }
  return counts
}
