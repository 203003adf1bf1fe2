import type { TestRun, TestSuite } from '../ports/test-suite.ts'
import { held, type Oracle, type OracleVerdict, refused, unproven } from './oracle.ts'
import type { Tell } from './plan.ts'
import { compareRuns, findBroken, runBefore, runCandidate, runnersOf } from './test-runs.ts'

const SHOWN_MAX = 5
const MESSAGE_CHARACTERS_MAX = 600

/** Of what a text uses. A refactoring that no test looks at may lose this much of it. */
const LOST_SHARE_MAX = 0.5

/**
 * The repository's tests: what passes before passes on the candidate too, by name. They run once on the repository as it
 * is, before the model is asked. A repository without tests proves nothing, which is said: then at least the better half of
 * what the code uses must still be there. One whose tests cannot run here rejects with `unavailable`, as TestSuite does.
 */
export async function createSuiteOracle(
  suite: TestSuite,
  file: { readonly path: string; readonly text: string },
  signal: AbortSignal,
  tell: Tell,
): Promise<Oracle> {
  const before = await runBefore(suite, null, signal, tell)

  /** For code that no test looks at. */
  function judgeUntested(text: string, why: string): OracleVerdict {
    return lostShare(file.text, text) > LOST_SHARE_MAX ? refused([`${LOST} (${why})`]) : unproven(why)
  }

  return {
    rule: 'tests',
    asks: 'What the code does stays the same: the tests of the repository pass as before',
    async judge(text, judgeSignal) {
      if (before === null)
        return judgeUntested(text, 'the repository has no tests, so nothing shows that the code does the same')
      const candidates = [{ path: file.path, text }]
      const after = await runCandidate(suite, { paths: null, candidates }, judgeSignal, tell)
      if (typeof after === 'string')
        return refused([`The tests ran before and do not run with this file: ${after}. Keep what the code does`])
      const facts = { tests: compareRuns(before, after) }
      const broken = findBroken(before, after)
      const [first, ...others] = broken.slice(0, SHOWN_MAX).map((name) => toObjection(name, after))
      if (first !== undefined) return refused([first, ...others], facts)
      const fewer = before.passed - after.passed
      if (fewer > 0) return refused([`${fewer} tests that passed before do not pass any more`], facts)
      if (before.passed === 0) return { ...judgeUntested(text, 'no test of the repository passed before'), facts }
      return held(`all ${before.passed} tests that passed before pass (${runnersOf(after)})`, facts)
    },
  }
}

const LOST = 'More than half of the names, numbers and texts that the code used are gone: keep what it does'

/** How many of the words and numbers of a text are not in another. */
function lostShare(before: string, after: string): number {
  const was = wordsOf(before)
  return was.size === 0 ? 0 : was.difference(wordsOf(after)).size / was.size
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.match(/[\p{L}\p{N}_$]+/gu) ?? [])

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
