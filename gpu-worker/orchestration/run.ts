import type { ActingAgent } from '#shared/schemas/agent.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { OrchestrationReport, RunEnd, RunTests } from '#shared/schemas/orchestration.ts'
import type { ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import type { LandPorts } from '../agent/land.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { ModelSet } from '../inference/model-set.ts'
import type { ClaimedJob, JobAgents } from '../ports/job-agents.ts'
import type { LanguageModel } from '../ports/language-model.ts'
import type { Registry } from '../ports/registry.ts'
import type { RunJournal } from '../ports/run-journal.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import type { TestSuite } from '../ports/test-suite.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import { toPlan, toReport } from './report.ts'
import type { RunRecord, StepRecord } from './run-record.ts'
import type { TokenBudget } from './token-budget.ts'

/** One improvement of one file, for the tool of its action to do. */
export interface StepTask {
  readonly action: StepRecord['action']
  /** The file of code that is meant. */
  readonly path: string
  /** Owns the file that is written: that file, or its tests. */
  readonly agent: ActingAgent
  /** The figure that asks for it, in words. */
  readonly why: string
  readonly goal: string | null
  /** What the write is noted under, with its outcome. */
  readonly stepId: StepRecord['step_id']
  readonly model: LanguageModel
}

export interface RunOptions {
  /** Aborts when the job is cancelled, at its deadline, and when the worker stops. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: JobProgress) => void
}

/**
 * Does one improvement: judges each candidate before it lands, by something that is not the model. Rejects with AppError, the
 * file then being as it was: `checks_failed` where nothing could be proven (with `before`, `after` and `usage` in the details as
 * far as they are known), `conflict`, `cancelled`, and what the model rejects with.
 */
export type ImproveStep = (task: StepTask, options: RunOptions) => Promise<ImprovementOutcome>

export interface RunPorts extends LandPorts {
  readonly journal: WriteJournal & RunJournal
  readonly registry: Registry
  readonly agents: JobAgents
  readonly models: ModelSet
  readonly parser: SourceParser
  readonly settings: SettingsSource
  readonly suite: TestSuite
  readonly improve: ImproveStep
  /** Steps of independent files that may run at the same time. */
  readonly stepsAtOnce: number
  /** As in PlanPorts. */
  readonly listPaths: (signal: AbortSignal) => AsyncIterable<string>
  readonly now: () => number
}

/** A run of steps as it stands in this worker. */
export interface Run {
  readonly job: ClaimedJob
  readonly ports: RunPorts
  readonly options: RunOptions
  readonly record: RunRecord
  readonly steps: StepRecord[]
  readonly budget: TokenBudget
  /** Set once, by what ends it first; null while nothing has. */
  endedBy: RunEnd | null
  tests: RunTests
}

/** How a step is made durable: before it happens, which a full disk refuses, or after it has. */
type When = 'before' | 'after'

/** Notes what has become of a step, durably, and tells the caller. */
export function changeStep(run: Run, at: number, changes: Partial<StepRecord>, when: When): void {
  const before = run.steps[at]
  if (before === undefined) throw new Error(`A run has no step ${at}`)
  const step = { ...before, ...changes }
  const { journal } = run.ports
  if (when === 'before') journal.keepStep(run.job.jobId, at, step)
  run.steps[at] = step
  if (when === 'after') journal.keepStepLater(run.job.jobId, at, step)
}

/** Tells the caller where the run stands, the plan included. */
export function tell(run: Run, phase: JobProgress['phase'], message: string, more: Partial<JobProgress> = {}): void {
  run.options.onProgress({ phase, round: 1, tokens: 0, message, ...more, steps: toPlan(run.steps) })
}

export function reportOf(run: Run): OrchestrationReport {
  return toReport({
    run: run.record,
    steps: run.steps,
    endedBy: run.endedBy ?? (run.record.steps_left > 0 ? 'iterations' : 'done'),
    tests: run.tests,
    tokensUsed: run.budget.used,
    now: run.ports.now(),
  })
}
