import * as v from 'valibot'
import { AgentId, JobId } from '#shared/ids.ts'
import { Usage } from '#shared/schemas/job.ts'
import { ImprovementStep, type RunEnd } from '#shared/schemas/orchestration.ts'

const Counts = v.strictObject({ passed: v.number(), failed: v.number(), skipped: v.number() })

/** The tests as they were before the first step; the names are of those that passed. */
const Baseline = v.strictObject({ counts: Counts, passed: v.array(v.string()) })
export type Baseline = v.InferOutput<typeof Baseline>

/** A step as it is remembered: what callers see of it, and what is needed to go on with it. */
export const StepRecord = v.strictObject({
  ...ImprovementStep.entries,
  agent_id: v.nullable(AgentId),
  /** The file that is written: that of the step, or its tests. */
  writes: v.string(),
  /** What its write is noted under: never the job's own id, whose writes are the whole job's outcome. */
  step_id: JobId,
  /** What taking it back is noted under. */
  revert_id: JobId,
  /** How often it was begun and not ended by us: each time the worker stopped under it. */
  attempts: v.number(),
  ended_at: v.nullable(v.number()),
  usage: v.nullable(Usage),
})
export type StepRecord = v.InferOutput<typeof StepRecord>

/** The plan of a run and what has been found about it: all of a run that is no step. */
export const RunRecord = v.strictObject({
  goal: v.nullable(v.string()),
  /** Epoch milliseconds; the minutes of the budget count from here, restarts of the worker included. */
  started_at: v.number(),
  budget: v.strictObject({ iterations: v.number(), minutes: v.number(), tokens: v.nullable(v.number()) }),
  keep_agents: v.boolean(),
  commit: v.boolean(),
  files_measured: v.number(),
  steps_left: v.number(),
  /** Path to the paths of the plan that it may import, or that may import it. */
  neighbours: v.array(v.tuple([v.string(), v.string()])),
  /** Null where there are no tests, or none that can run here: `tests_note` says which. */
  baseline: v.nullable(Baseline),
  tests_note: v.string(),
  /** As they were planned; what became of each since is kept beside. */
  steps: v.array(StepRecord),
})
export type RunRecord = v.InferOutput<typeof RunRecord>

/** The end of a run that no other step could get past; null where only one step failed. */
export const toRunEnd = (code: string): RunEnd | null =>
  code === 'model_unavailable' || code === 'disk_full' ? code : null
