import { AppError } from '#shared/errors.ts'
import { revertJob } from '../agent/revert.ts'
import { createOwnedFileTree } from '../workspace/ownership.ts'
import { brokenSince, toCounts } from './baseline.ts'
import { changeStep, type Run, tell } from './run.ts'
import type { Baseline } from './run-record.ts'
import { takeAgent } from './take-agent.ts'
import { untilAborted } from './until-aborted.ts'

/** Names of broken tests that a report lists. */
const BROKEN_SHOWN_MAX = 20

/**
 * Runs all tests on what the steps have made of the repository together. Where one that passed before does not, steps are
 * taken back, the newest first, until all pass. Each step passed alone; here speaks what they are together.
 *
 * Rejects with `cancelled`; the report then says that nothing was proven at the end.
 */
export async function proveRun(run: Run): Promise<void> {
  const { baseline } = run.record
  const kept = run.steps
    .map((step, at) => ({ at, step }))
    .filter(({ step }) => step.state === 'kept')
    .sort((a, b) => (a.step.ended_at ?? 0) - (b.step.ended_at ?? 0) || a.at - b.at)
  if (baseline === null || kept.length === 0) return
  let verdict = await judge(run, baseline)
  let reverted = 0
  for (let newest = kept.pop(); verdict.broken.length > 0 && newest !== undefined; newest = kept.pop()) {
    if (!(await takeBack(run, newest.at, verdict.broken))) continue
    reverted++
    verdict = await judge(run, baseline)
  }
  const { broken, after } = verdict
  run.tests = {
    before: baseline.counts,
    after,
    broken: broken.slice(0, BROKEN_SHOWN_MAX),
    note: noteOf(broken.length, reverted),
  }
}

function noteOf(broken: number, reverted: number): string {
  if (broken > 0) return `${broken} tests that passed before do not, whatever was taken back`
  return reverted === 0
    ? 'All tests that passed before the first step pass after the last'
    : `All tests that passed before pass again, with ${reverted} step${reverted === 1 ? '' : 's'} taken back`
}

interface Verdict {
  readonly broken: readonly string[]
  readonly after: Baseline['counts'] | null
}

/** Tests that cannot be run any more are as good as broken: nothing proves what was kept. */
async function judge(run: Run, baseline: Baseline): Promise<Verdict> {
  tell(run, 'testing', 'Running all tests on what was kept')
  try {
    const result = await run.ports.suite.run({ paths: null, candidates: [] }, run.options.signal)
    return { broken: brokenSince(baseline, result), after: toCounts(result) }
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'cancelled') throw error
    return { broken: [error.message], after: null }
  }
}

/** Puts a step's file back as it was before the step. False where that cannot be done: it was changed since. */
async function takeBack(run: Run, at: number, broken: readonly string[]): Promise<boolean> {
  const { ports, options } = run
  const step = run.steps[at]
  if (step === undefined) throw new Error(`A run has no step ${at}`)
  tell(run, 'writing', `Taking back ${step.action} of ${step.path}`)
  const note = `Taken back: with it ${broken.length} test${broken.length === 1 ? '' : 's'} failed that passed before, among them ${broken[0]}`
  // A worker that was killed between the two knows it from the write.
  const isBack = ports.journal.writesOf(step.revert_id).length > 0
  try {
    if (!isBack) await revert(run, step.step_id, step.revert_id)
  } catch (error) {
    if (!(error instanceof AppError) || options.signal.aborted) throw error
    changeStep(run, at, { note: `Could not be taken back: ${error.message}` }, 'after')
    return false
  }
  changeStep(run, at, { state: 'reverted', note: note.slice(0, 500) }, 'after')
  return true
}

/** As the agent of the file: its owner, or one that is made for this. */
async function revert(run: Run, stepId: string, revertId: string): Promise<void> {
  const { ports, options } = run
  const path = ports.journal.writesOf(stepId).at(-1)?.path
  if (path === undefined) throw new AppError('not_found', 'Cannot take the step back: its write is not known any more')
  const file = await ports.files.resolve(path, 'write')
  const { agent, made } = await untilAborted(takeAgent(run, file), options.signal)
  const files = createOwnedFileTree(ports.files, ports.registry, agent, options.signal)
  await revertJob(
    { file, revertedJobId: stepId, jobId: revertId, agentId: agent.agent_id },
    { ...ports, files },
    options.signal,
  )
  if (made && !run.record.keep_agents) await ports.agents.release(run.job, agent.agent_id).catch(() => undefined)
}
