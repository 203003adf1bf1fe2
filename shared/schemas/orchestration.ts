import * as v from 'valibot'
import { CodeFigures, improvementActions, Proof } from '../tools/improvement-outcome.ts'
import { Usage } from './job.ts'

/**
 * `kept`: an oracle let it in, and it stands. `not_kept`: no candidate was good enough, and the file is as it was. `skipped`:
 * it could not be tried. `reverted`: it was kept, and taken back because of what the tests said at the end.
 */
export const StepState = v.picklist(['planned', 'running', 'kept', 'not_kept', 'skipped', 'reverted'])
export type StepState = v.InferOutput<typeof StepState>

/** One improvement of one file. */
export const ImprovementStep = v.strictObject({
  path: v.string(),
  action: v.picklist(improvementActions),
  /** The figure that asks for it, in words. */
  why: v.string(),
  state: StepState,
  /** What came of it, or why nothing did; null until it ends. */
  note: v.nullable(v.string()),
  /** The agent that did it; `agent_made` where it was made for this file. */
  agent_id: v.nullable(v.string()),
  agent_made: v.boolean(),
  before: v.nullable(CodeFigures),
  after: v.nullable(CodeFigures),
  proof: v.array(Proof),
  /** Prompt and answer tokens of all attempts. */
  tokens: v.number(),
  /** Hash of the commit that holds it, where commits were asked for. */
  commit: v.nullable(v.string()),
})
export type ImprovementStep = v.InferOutput<typeof ImprovementStep>

/** What ended the run: the plan was done, or which bound was reached, or what went wrong. */
export const RunEnd = v.picklist([
  'done',
  'iterations',
  'minutes',
  'tokens',
  'model_unavailable',
  'disk_full',
  'stopped',
])
export type RunEnd = v.InferOutput<typeof RunEnd>

const Counts = v.strictObject({ passed: v.number(), failed: v.number(), skipped: v.number() })

/** The repository's own tests, before the first step and after the last. */
export const RunTests = v.strictObject({
  /** Null where there are none, or where they cannot run. */
  before: v.nullable(Counts),
  /** Null where they were not run again: nothing was kept, or the run was stopped first. */
  after: v.nullable(Counts),
  /** Tests that passed before and do not now, although all that could be taken back was. */
  broken: v.array(v.string()),
  note: v.string(),
})
export type RunTests = v.InferOutput<typeof RunTests>

/** What an orchestrated improvement ends with, and what there is of it when it is stopped. */
export const OrchestrationReport = v.strictObject({
  goal: v.nullable(v.string()),
  ended_by: RunEnd,
  files_measured: v.number(),
  /** In the order of the plan: the worst file first. */
  steps: v.array(ImprovementStep),
  /** What the figures ask for beyond the plan, which has as many steps as the budget has iterations. */
  steps_left: v.number(),
  kept: v.number(),
  reverted: v.number(),
  budget: v.strictObject({ iterations: v.number(), minutes: v.number(), tokens: v.nullable(v.number()) }),
  used: v.strictObject({ iterations: v.number(), seconds: v.number(), tokens: v.number() }),
  tests: RunTests,
  usage: Usage,
})
export type OrchestrationReport = v.InferOutput<typeof OrchestrationReport>
