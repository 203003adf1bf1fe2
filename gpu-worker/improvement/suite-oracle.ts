import type { TestRun, TestSuite } from '../ports/test-suite.ts'
import { held, type Oracle, refused, unproven } from './oracle.ts'
import { compareRuns, findBroken, runBefore, runCandidate, runnersOf } from './test-runs.ts'

const SHOWN_MAX = 5
const MESSAGE_CHARACTERS_MAX = 600

/**
 * The repository's tests: what passes before passes on the candidate too, by name. They run once on the repository as it
 * is, before the model is asked. A repository without tests proves nothing, which is said; one whose tests cannot run here
 * rejects with `unavailable`, as TestSuite does.
 */
export async function createSuiteOracle(suite: TestSuite, path: string, signal: AbortSignal): Promise<Oracle> {
  const before = await runBefore(suite, null, signal)
  return {
    rule: 'tests',
    asks: 'What the code does stays the same: the tests of the repository pass as before',
    async judge(text, judgeSignal) {
      if (before === null) return unproven('the repository has no tests, so nothing shows that the code does the same')
      const after = await runCandidate(suite, { paths: null, candidates: [{ path, text }] }, judgeSignal)
      if (typeof after === 'string')
        return refused([`The tests ran before and do not run with this file: ${after}. Keep what the code does`])
      const facts = { tests: compareRuns(before, after) }
      const broken = findBroken(before, after)
      const [first, ...others] = broken.slice(0, SHOWN_MAX).map((name) => toObjection(name, after))
      if (first !== undefined) return refused([first, ...others], facts)
      const fewer = before.passed - after.passed
      if (fewer > 0) return refused([`${fewer} tests that passed before do not pass any more`], facts)
      if (before.passed === 0) return { ...unproven('no test of the repository passed before'), facts }
      return held(`all ${before.passed} tests that passed before pass (${runnersOf(after)})`, facts)
    },
  }
}

function toObjection(name: string, after: TestRun): string {
  const own = after.failures.find((each) => each.name === name)
  if (own !== undefined) return `The test ${name} passed before and fails now: ${cut(own.message)}`
  const outcome = after.tests.find((each) => each.name === name)?.outcome
  const now = outcome === undefined ? 'does not run' : outcome === 'failed' ? 'fails' : `is ${outcome}`
  const other = after.failures[0]
  const why = other === undefined ? '' : ` (${other.name}: ${cut(other.message)})`
  return `The test ${name} passed before and ${now} now${why}: keep what the code does`
}

const cut = (message: string): string => message.slice(0, MESSAGE_CHARACTERS_MAX)
