import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { createJobId } from '#shared/ids.ts'
import type { OrchestrationReport } from '#shared/schemas/orchestration.ts'
import type { ClaimedJob } from '../ports/job-agents.ts'
import { takeBaseline } from './baseline.ts'
import { commitRun } from './commit-run.ts'
import { actionsNamedBy } from './goal.ts'
import { createFileMeasure } from './measure.ts'
import { makePlan } from './plan.ts'
import { proveRun } from './prove-run.ts'
import { type Run, type RunOptions, type RunPorts, reportOf } from './run.ts'
import { RunRecord, StepRecord } from './run-record.ts'
import { runSteps } from './run-steps.ts'
import type { WantedStep } from './steps-for-file.ts'
import { TokenBudget } from './token-budget.ts'

export interface OrchestrateRequest {
  readonly job: ClaimedJob
  readonly goal: string | null
  /** Files and folders; null for the whole repository. */
  readonly paths: readonly string[] | null
  readonly budget: { readonly iterations: number; readonly minutes: number; readonly tokens: number | null }
  readonly keepAgents: boolean
  readonly commit: boolean
}

/**
 * Improves a repository file by file: plans from the figures, does each step by an agent of its file, keeps what is proven, and
 * runs all tests once more at the end. A job that comes back goes on where it was.
 *
 * Rejects with AppError, the files then being what their kept steps made of them: `cancelled` when the signal is aborted, with
 * the report so far in the details; `not_found` where the figures ask for nothing; where no step was kept `checks_failed`, or what
 * the model or the disk refused, with the report too. Rejects as `makePlan` does before anything is changed.
 */
export async function orchestrate(
  request: OrchestrateRequest,
  ports: RunPorts,
  options: RunOptions,
): Promise<OrchestrationReport> {
  const run = resume(request, ports, options) ?? (await begin(request, ports, options).catch(asStopped(options.signal)))
  try {
    if (!options.signal.aborted) await runSteps(run)
    if (!options.signal.aborted) await proveRun(run)
    if (!options.signal.aborted && run.record.commit) await commitRun(run)
  } catch (error) {
    if (!options.signal.aborted || !(error instanceof AppError)) throw error
  }
  if (options.signal.aborted) throw stopped(run)
  const report = reportOf(run)
  if (report.kept === 0) throw nothingKept(report)
  return report
}

/** Whatever a job stumbled over when it was stopped before it had a plan: it was stopped. */
const asStopped =
  (signal: AbortSignal) =>
  (cause: unknown): never => {
    if (!signal.aborted || !(cause instanceof AppError)) throw cause
    throw new AppError('cancelled', 'The job was stopped before it began', { cause })
  }

/** Goes on with a run of before; null where the job has no plan yet. */
function resume({ job }: OrchestrateRequest, ports: RunPorts, options: RunOptions): Run | null {
  const found = ports.journal.findRun(job.jobId)
  if (found === undefined) return null
  const record = v.parse(RunRecord, found)
  const later = ports.journal.findSteps(job.jobId)
  const steps = record.steps.map((step, at) => (later.has(at) ? v.parse(StepRecord, later.get(at)) : step))
  // What was under way when the worker stopped is begun again, unless it turns out to have landed.
  const open = steps.map((step) => (step.state === 'running' ? { ...step, state: 'planned' as const } : step))
  return toRun(job, ports, options, record, open)
}

async function begin(request: OrchestrateRequest, ports: RunPorts, options: RunOptions): Promise<Run> {
  const { job, goal, paths, budget, keepAgents, commit } = request
  const { signal } = options
  if (signal.aborted) throw new AppError('cancelled', 'The job was stopped before it began')
  const startedAt = ports.now()
  const say = (phase: 'planning' | 'scanning', message: string): void =>
    options.onProgress({ phase, round: 1, tokens: 0, message })
  say('planning', 'Looking for tests')
  const runners = await ports.suite.find(signal)
  const plan = await makePlan(
    { ...ports, measure: createFileMeasure(ports.files, ports.parser, ports.settings) },
    {
      paths,
      stepsMax: budget.iterations,
      actions: actionsNamedBy(goal),
      hasGoal: goal !== null,
      canTest: runners.some(({ obstacle }) => obstacle === null),
    },
    signal,
    (files) => say('scanning', `Measured ${files} files`),
  )
  if (plan.steps.length === 0) {
    throw new AppError(
      'not_found',
      `Cannot find anything to improve: ${plan.filesMeasured} files measured, and their figures ask for nothing`,
      { hint: 'Give a goal, or other paths', details: { files_measured: plan.filesMeasured } },
    )
  }
  say('planning', 'Running the tests as they are')
  const { baseline, note } = await takeBaseline(ports.suite, signal, options.onProgress)
  const record: RunRecord = {
    goal,
    started_at: startedAt,
    budget,
    keep_agents: keepAgents,
    commit,
    files_measured: plan.filesMeasured,
    steps_left: plan.stepsLeft,
    neighbours: plan.neighbours,
    baseline,
    tests_note: note,
    steps: plan.steps.map((step) => toStepRecord(step, startedAt)),
  }
  ports.journal.keepRun(job.jobId, record)
  return toRun(job, ports, options, record, [...record.steps])
}

function toRun(job: ClaimedJob, ports: RunPorts, options: RunOptions, record: RunRecord, steps: StepRecord[]): Run {
  const used = steps.reduce((sum, { tokens }) => sum + tokens, 0)
  const tests = { before: record.baseline?.counts ?? null, after: null, broken: [], note: record.tests_note }
  return {
    job,
    ports,
    options,
    record,
    steps,
    budget: new TokenBudget(record.budget.tokens, used),
    endedBy: null,
    tests,
  }
}

const toStepRecord = (step: WantedStep, now: number): StepRecord => ({
  ...step,
  state: 'planned',
  note: null,
  agent_id: null,
  agent_made: false,
  before: null,
  after: null,
  proof: [],
  tokens: 0,
  commit: null,
  step_id: createJobId(now),
  revert_id: createJobId(now),
  attempts: 0,
  ended_at: null,
  usage: null,
})

function stopped(run: Run): AppError {
  run.endedBy = 'stopped'
  const report = reportOf(run)
  return new AppError(
    'cancelled',
    `The job was stopped after ${report.used.iterations} of ${report.steps.length} steps; ${report.kept} ${report.kept === 1 ? 'is' : 'are'} kept, and no file is half changed`,
    {
      hint: 'What was kept stays: see details.report, git_diff, and run the tests',
      details: { report, usage: report.usage },
    },
  )
}

function nothingKept(report: OrchestrationReport): AppError {
  const { ended_by, steps } = report
  const last = steps.findLast(({ note }) => note !== null)?.note ?? 'none was begun'
  const code = ended_by === 'model_unavailable' || ended_by === 'disk_full' ? ended_by : 'checks_failed'
  return new AppError(
    code,
    `Cannot improve anything: none of ${report.used.iterations} steps was kept (the last: ${last})`,
    {
      hint: 'Each file is as it was; details.report says why for each step',
      details: { report, usage: report.usage },
    },
  )
}
