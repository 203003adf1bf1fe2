import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { JobProgress, Usage } from '#shared/schemas/job.ts'
import { CodeFigures, ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import { sumUsage } from '../agent/usage.ts'
import { changeStep, type Run, tell } from './run.ts'
import { type StepRecord, toRunEnd } from './run-record.ts'
import { takeAgent } from './take-agent.ts'
import { withinBudget } from './token-budget.ts'
import { untilAborted } from './until-aborted.ts'

/** A step under which the worker stopped this often is given up. */
const ATTEMPTS_MAX = 3
const NOTE_CHARACTERS_MAX = 500

/**
 * Does one step, and notes what came of it. Resolves however it ends; a step that was broken off is planned again. Rejects only
 * where the run cannot go on: when the job is another worker's, or with a bug.
 */
export async function runStep(run: Run, at: number, signal: AbortSignal): Promise<void> {
  const step = stepAt(run, at)
  if (settleLanded(run, at)) return
  if (step.attempts >= ATTEMPTS_MAX) {
    const note = `The worker stopped ${step.attempts} times while it was at this, so it is not tried again`
    changeStep(run, at, { state: 'skipped', note, ended_at: run.ports.now() }, 'after')
    return
  }
  if (!beginStep(run, at)) return
  tellStep(run, at, { phase: 'reading', message: '' })
  try {
    await improve(run, at, signal)
  } catch (error) {
    if (!settleLanded(run, at)) settleFailed(run, at, error, signal)
  }
  tellStep(run, at, { phase: 'checking', message: stepAt(run, at).state })
}

/** False where there is no space to note that the step begins: it is not begun, and no other is. */
function beginStep(run: Run, at: number): boolean {
  try {
    changeStep(run, at, { state: 'running', attempts: stepAt(run, at).attempts + 1 }, 'before')
    return true
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'disk_full') throw error
    run.endedBy ??= 'disk_full'
    return false
  }
}

async function improve(run: Run, at: number, signal: AbortSignal): Promise<void> {
  const { ports, record } = run
  const step = stepAt(run, at)
  const file = await ports.files.resolve(step.writes, 'write')
  const { agent, made } = await untilAborted(takeAgent(run, file), signal)
  const madeBefore = run.steps.some((each) => each.agent_made && each.agent_id === agent.agent_id)
  changeStep(run, at, { agent_id: agent.agent_id, agent_made: made || madeBefore }, 'before')
  const model = withinBudget(await ports.models.pick(agent.model), run.budget, (usage) => spend(run, at, usage))
  const outcome = await ports.improve(
    {
      action: step.action,
      path: step.path,
      agent,
      why: step.why,
      goal: record.goal,
      stepId: step.step_id,
      model,
    },
    { signal, onProgress: (progress) => tellStep(run, at, progress) },
  )
  settleKept(run, at, outcome)
}

/** What an answer has cost is known before anything is done with it. */
function spend(run: Run, at: number, usage: Usage): void {
  const step = stepAt(run, at)
  const tokens = step.tokens + usage.prompt_tokens + usage.completion_tokens
  changeStep(
    run,
    at,
    { tokens, usage: sumUsage([...(step.usage === null ? [] : [step.usage]), usage], usage.model) },
    'after',
  )
}

/** A write of the step that is in the file, however the step went on: what was noted with it is what came of it. */
function settleLanded(run: Run, at: number): boolean {
  const write = run.ports.journal.writesOf(stepAt(run, at).step_id).at(-1)
  const outcome = v.safeParse(ImprovementOutcome, write?.outcome)
  if (!outcome.success) return false
  settleKept(run, at, outcome.output)
  return true
}

function settleKept(run: Run, at: number, { changed, reply, before, after, proof }: ImprovementOutcome): void {
  const { ports } = run
  const note = changed ? cut(reply) : 'Nothing was changed'
  const ended = { note, before, after, proof, ended_at: ports.now() }
  changeStep(run, at, { state: changed ? 'kept' : 'not_kept', ...ended }, 'after')
}

function settleFailed(run: Run, at: number, error: unknown, signal: AbortSignal): void {
  const { attempts } = stepAt(run, at)
  if (signal.aborted) {
    // By the run's own bounds or its caller's wish, not by what the step did: it may be done later.
    changeStep(run, at, { state: 'planned', attempts: attempts - 1 }, 'after')
    return
  }
  if (!(error instanceof AppError) || error.code === 'cancelled') throw error
  const end = toRunEnd(error.code) ?? (run.budget.isSpent ? 'tokens' : null)
  if (end !== null) run.endedBy ??= end
  const figures = (value: unknown): CodeFigures | null => {
    const parsed = v.safeParse(CodeFigures, value)
    return parsed.success ? parsed.output : null
  }
  changeStep(
    run,
    at,
    {
      state: error.code === 'checks_failed' || end !== null ? 'not_kept' : 'skipped',
      note: cut(error.message),
      before: figures(error.details?.before),
      after: figures(error.details?.after),
      ended_at: run.ports.now(),
    },
    'after',
  )
}

function tellStep(run: Run, at: number, progress: JobProgress | Pick<JobProgress, 'phase' | 'message'>): void {
  const { action, path } = stepAt(run, at)
  const { phase, message, ...more } = progress
  tell(
    run,
    phase,
    `Step ${at + 1} of ${run.steps.length}, ${action} ${path}${message === '' ? '' : `: ${message}`}`,
    more,
  )
}

function stepAt(run: Run, at: number): StepRecord {
  const step = run.steps[at]
  if (step === undefined) throw new Error(`A run has no step ${at}`)
  return step
}

const cut = (text: string): string =>
  text.length > NOTE_CHARACTERS_MAX ? `${text.slice(0, NOTE_CHARACTERS_MAX)}…` : text
