import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export interface TestCounts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Prints `N passed, N failed, N skipped` as the last line. A test that is only planned counts as skipped; a file that
 * cannot be loaded, a failing hook of a suite and an error outside of every test count as failed. Where
 * MILLWRIGHT_TEST_SUMMARY names a file, the counts go there instead, for scripts/run.mjs to print after everything else.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = countTests(modules, unhandledErrors.length)
    const file = process.env.MILLWRIGHT_TEST_SUMMARY
    if (file === undefined) console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    else writeFileSync(file, JSON.stringify(counts))
  }
}

function countTests(modules: readonly TestModule[], unhandledErrors: number): TestCounts {
  const counts: TestCounts = { passed: 0, failed: unhandledErrors, skipped: 0 }
  for (const module of modules) {
    counts.failed += module.errors().length
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      // A test that never came to a result (the run was cut off) is no success.
      if (state === 'pending') counts.failed++
      else counts[state]++
    }
  }
  return counts
}
