import type { MutantReport } from '#shared/tools/improvement-outcome.ts'
import { fileKind } from '../gates/file-kind.ts'
import type { Mutant } from '../ports/source-parser.ts'
import type { TestRun, TestSuite } from '../ports/test-suite.ts'
import { applyMutant } from './mutants.ts'
import { held, type Oracle, refused } from './oracle.ts'
import type { Tell } from './plan.ts'
import { compareRuns, findBroken, passedIn, runBefore, runCandidate, runnersOf } from './test-runs.ts'

export interface MutationOracleOptions {
  readonly suite: TestSuite
  /** The file of tests that is written, and its text of before; null where it is new. */
  readonly testPath: string
  readonly testsBefore: string | null
  /** The code under test. */
  readonly source: { readonly path: string; readonly text: string }
  /** The ways in which it is broken, as chooseMutants gives them. */
  readonly mutants: readonly Mutant[]
  readonly tell: Tell
}

/** What was not tried by then is left out; a test run takes a second or two. */
const BUDGET_MS = 180_000
/** A break may make a loop endless: so much longer than on sound code may a run take, and at least so long. */
const SLOWER_MAX = 5
const RUN_MS_MIN = 5000
const SHOWN_MAX = 5
const IDLE_TOLD_MAX = 50
const MESSAGE_CHARACTERS_MAX = 600

/**
 * Tests that are worth something: they run, they pass, none of before is lost, and they fail when the code under test is
 * broken on purpose. A test counts as failing only by its own name, so that a break that does not compile proves nothing.
 */
export async function createMutationOracle(options: MutationOracleOptions, signal: AbortSignal): Promise<Oracle> {
  const { suite, testPath, testsBefore, source, mutants, tell } = options
  const paths = [testPath]
  const before = testsBefore === null ? null : await runBefore(suite, paths, signal, tell)

  async function tryMutants(text: string, run: TestRun, judgeSignal: AbortSignal): Promise<MutantReport> {
    const until = performance.now() + BUDGET_MS
    const timeoutMs = Math.max(RUN_MS_MIN, SLOWER_MAX * run.duration_ms)
    const added = addedIn(run, before)
    const idle = new Set(added)
    const survived: string[] = []
    let killed = 0
    for (const [index, mutant] of mutants.entries()) {
      if (performance.now() > until) break
      tell(`Breaking ${source.path} on purpose: ${index + 1} of ${mutants.length}`)
      const broken = { path: source.path, text: applyMutant(source.text, mutant) }
      const request = { paths, candidates: [{ path: testPath, text }, broken] }
      const outcome = await runCandidate(suite, request, judgeSignal, tell, timeoutMs)
      const told = typeof outcome === 'string' ? [] : outcome.tests.filter(({ name }) => added.has(name))
      const failed = told.filter((each) => each.outcome === 'failed')
      for (const { name } of failed) idle.delete(name)
      if (failed.length > 0) killed++
      // None of the tests ran: the break does not compile or does not end, which says nothing of them.
      else if (told.length > 0) survived.push(mutant.what)
    }
    return { tried: killed + survived.length, killed, survived, idle_tests: [...idle].slice(0, IDLE_TOLD_MAX) }
  }

  /** Tests that look at how the code is written fail for any break, and for any other change as well. */
  async function tryComment(text: string, run: TestRun, judgeSignal: AbortSignal): Promise<string | null> {
    const commented = { path: source.path, text: withComment(source) }
    const request = { paths, candidates: [{ path: testPath, text }, commented] }
    const outcome = await runCandidate(suite, request, judgeSignal, tell)
    const [first] = typeof outcome === 'string' ? [outcome] : findBroken(run, outcome)
    return first === undefined
      ? null
      : `With a comment more in the code, or run once more, it fails: ${first}. Test what the code does and not how it is written, the same each time`
  }

  return {
    rule: 'tests',
    asks: 'The tests pass, and fail when the code is broken: each says what a result must be',
    async judge(text, judgeSignal) {
      const run = await runCandidate(suite, { paths, candidates: [{ path: testPath, text }] }, judgeSignal, tell)
      if (typeof run === 'string') return refused([`The tests do not run: ${run}. Write tests that the runner finds`])
      const facts = { tests: compareRuns(before, run) }
      const [first, ...others] = objectionsTo(run, before)
      if (first !== undefined) return refused([first, ...others], facts)
      const objection = await tryComment(text, run, judgeSignal)
      if (objection !== null) return refused([objection], facts)
      const mutantReport = await tryMutants(text, run, judgeSignal)
      const all = { ...facts, mutants: mutantReport }
      if (mutantReport.killed === 0) return refused([nothingKilled(mutantReport)], all)
      const { killed, tried } = mutantReport
      const added = addedIn(run, before).size
      return held(
        `${added} new tests pass (${runnersOf(run)}), and fail for ${killed} of ${tried} ways to break the code`,
        all,
      )
    },
  }
}

/** What is wrong with tests by their run on sound code. */
function objectionsTo(run: TestRun, before: TestRun | null): string[] {
  if (run.failed > 0) {
    const told = run.failures
      .slice(0, SHOWN_MAX)
      .map(({ name, message }) => `The test ${name} fails: ${message.slice(0, MESSAGE_CHARACTERS_MAX)}`)
    return told.length > 0 ? told : [`${run.failed} tests fail: write tests that pass on the code as it is`]
  }
  const lost = before === null ? [] : findBroken(before, run)
  if (lost.length > 0) return [`Keep the tests that were there: ${lost.slice(0, SHOWN_MAX).join(', ')}`]
  return addedIn(run, before).size === 0 ? ['No test was added that runs: write more tests'] : []
}

/** The tests that pass and were not there before. */
function addedIn(run: TestRun, before: TestRun | null): ReadonlySet<string> {
  const old = new Set(before === null ? [] : passedIn(before))
  return new Set(passedIn(run).filter((name) => !old.has(name)))
}

function withComment({ path, text }: MutationOracleOptions['source']): string {
  const mark = fileKind(path).language === 'python' ? '#' : '//'
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${mark} The code is the same.\n`
}

function nothingKilled({ survived }: MutantReport): string {
  const [example] = survived
  const what = example === undefined ? 'the code was broken' : example
  return `These tests cannot fail: ${what}, and all of them passed. Call the code and assert what it returns`
}
