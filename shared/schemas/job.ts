import * as v from 'valibot'
import { WireError } from '../errors.ts'
import { JobId } from '../ids.ts'

/** `queued` and `running` can change; the other three are final. */
export const JobState = v.picklist(['queued', 'running', 'succeeded', 'failed', 'cancelled'])
export type JobState = v.InferOutput<typeof JobState>

export const isFinal = (state: JobState): boolean => state !== 'queued' && state !== 'running'

/**
 * Tokens and times of one piece of model work. Times in milliseconds, speed in tokens per second. What was stored before a
 * figure was taken reads as 0.
 */
export const Usage = v.strictObject({
  prompt_tokens: v.number(),
  /** Of `prompt_tokens`: those that the model still held from the call before, and did not evaluate again. */
  cached_prompt_tokens: v.optional(v.number(), 0),
  completion_tokens: v.number(),
  /** Before the model began: until it had a free place, or was loaded. Not part of the time to the first token. */
  queue_ms: v.optional(v.number(), 0),
  time_to_first_token_ms: v.nullable(v.number()),
  tokens_per_second: v.nullable(v.number()),
  model: v.string(),
})
export type Usage = v.InferOutput<typeof Usage>

/**
 * What an agent's ended jobs have cost together, refused and failed ones included. Answers that were broken off are not in
 * it: nobody counted them.
 */
export const UsageTotal = v.strictObject({
  /** Those whose cost is known. */
  jobs: v.number(),
  prompt_tokens: v.number(),
  cached_prompt_tokens: v.number(),
  completion_tokens: v.number(),
  queue_ms: v.number(),
  /** Writing the answers; reading the prompts is not in it. */
  generating_ms: v.number(),
})
export type UsageTotal = v.InferOutput<typeof UsageTotal>

/** Where a job stands. `tokens` counts those generated so far in this round. */
export const JobProgress = v.strictObject({
  phase: v.picklist([
    'queued',
    'loading_model',
    'reading',
    'prompt',
    'generating',
    'checking',
    'writing',
    'planning',
    'scanning',
    'testing',
  ]),
  round: v.number(),
  tokens: v.number(),
  message: v.string(),
  /** The end of the answer that is being written, for eyes that watch: at most ANSWER_TAIL_CHARACTERS_MAX characters. */
  answer_tail: v.optional(v.string()),
  /** The plan of a job of many steps, and how far each is. */
  steps: v.optional(v.array(v.strictObject({ path: v.string(), action: v.string(), state: v.string() }))),
})
export type JobProgress = v.InferOutput<typeof JobProgress>

/** Under this name a progress notification of a job's call carries its whole JobProgress in `_meta`. */
export const JOB_PROGRESS_META = 'millwright/progress'

/** Progress in an answer, which is read once: what is being written is for those who watch it. */
export const ToldProgress = v.omit(JobProgress, ['answer_tail'])
export type ToldProgress = v.InferOutput<typeof ToldProgress>

export function withoutTail(progress: JobProgress | null): ToldProgress | null {
  if (progress === null) return null
  const { answer_tail: _tail, ...rest } = progress
  return rest
}

/** A job as tools show it. `result` is the tool's own answer, kept until the job is removed. */
export const Job = v.strictObject({
  job_id: JobId,
  tool: v.string(),
  agent_id: v.nullable(v.string()),
  state: JobState,
  created_at: v.string(),
  started_at: v.nullable(v.string()),
  finished_at: v.nullable(v.string()),
  error: v.nullable(WireError),
})
export type Job = v.InferOutput<typeof Job>

/** How a job ended, as the worker reports it. */
export const JobOutcome = v.variant('state', [
  v.object({ state: v.literal('succeeded'), result: v.record(v.string(), v.unknown()) }),
  v.object({ state: v.literal('failed'), error: WireError }),
  v.object({ state: v.literal('cancelled'), error: WireError }),
])
export type JobOutcome = v.InferOutput<typeof JobOutcome>
