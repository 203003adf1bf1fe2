import type { JobProgress } from '#shared/schemas/job.ts'
import type { OrchestrationReport, RunEnd, RunTests } from '#shared/schemas/orchestration.ts'
import { sumUsage } from '../agent/usage.ts'
import type { RunRecord, StepRecord } from './run-record.ts'

export interface Told {
  readonly run: RunRecord
  readonly steps: readonly StepRecord[]
  readonly endedBy: RunEnd
  readonly tests: RunTests
  readonly tokensUsed: number
  readonly now: number
}

/** What callers see of a run. */
export function toReport({ run, steps, endedBy, tests, tokensUsed, now }: Told): OrchestrationReport {
  const count = (state: StepRecord['state']): number => steps.filter((step) => step.state === state).length
  return {
    goal: run.goal,
    ended_by: endedBy,
    files_measured: run.files_measured,
    steps: steps.map(
      ({
        step_id: _id,
        writes: _writes,
        revert_id: _revert,
        attempts: _attempts,
        ended_at: _at,
        usage: _usage,
        ...step
      }) => step,
    ),
    steps_left: run.steps_left,
    kept: count('kept'),
    reverted: count('reverted'),
    budget: run.budget,
    used: {
      iterations: steps.length - count('planned'),
      seconds: Math.round((now - run.started_at) / 1000),
      tokens: tokensUsed,
    },
    tests,
    usage: sumUsage(
      steps.flatMap(({ usage }) => usage ?? []),
      'none',
    ),
  }
}

/** The plan as progress shows it. */
export const toPlan = (steps: readonly StepRecord[]): NonNullable<JobProgress['steps']> =>
  steps.map(({ path, action, state }) => ({ path, action, state }))
