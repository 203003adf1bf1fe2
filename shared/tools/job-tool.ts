import * as v from 'valibot'
import { JobState, ToldProgress } from '../schemas/job.ts'
import { defineTool, type ToolAnnotations, type ToolDeclaration, type ToolFamily } from './define-tool.ts'
import { waitSeconds } from './fields.ts'

/** What every job tool takes beside its own arguments: spread it into the input's entries. */
export const jobEntries = {
  wait_seconds: v.optional(waitSeconds),
  idempotency_key: v.optional(
    v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.description('Same key: same job, never a second one')),
  ),
}

type JobInput = v.GenericSchema<
  unknown,
  { wait_seconds?: number | undefined; idempotency_key?: string | undefined; agent_id?: unknown }
>
type OutcomeSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>

/** A job that has not ended, or what its tool answers with once it has. */
const standing = {
  job_id: v.string(),
  state: JobState,
  progress: v.optional(v.nullable(ToldProgress)),
  /** Why it has not started, where that is known. */
  note: v.optional(v.string()),
}

type StandingEntries = typeof standing
type JobOutput<Outcome extends OutcomeSchema> = v.StrictObjectSchema<
  StandingEntries & v.SchemaWithPartial<Outcome, undefined>['entries'],
  undefined
>

/** A tool that runs through the work queue, as `findJobTool` returns it. */
export interface JobToolDeclaration<
  Name extends string = string,
  Input extends JobInput = JobInput,
  Outcome extends OutcomeSchema = OutcomeSchema,
> extends ToolDeclaration<Name, Input, JobOutput<Outcome>, 'job'> {
  /** What the job ends with: the fields of a success beside `job_id` and `state`. */
  readonly outcome: Outcome
  readonly outcomeToText: (outcome: v.InferOutput<Outcome>) => string
  /** How long the job may take, queue included, in ms; JOB_DEADLINE_MS where it is left out. */
  readonly deadlineMs?: (input: v.InferOutput<Input>) => number
  /** A job of many steps that remembers them: it comes back to a worker as often as one stops, and tells how far it got. */
  readonly resumes?: true
}

/**
 * Declares a tool whose work is a durable job: it has an id from the first moment, waits for `wait_seconds`, and is found
 * again with `get_job`. Where its arguments have an `agent_id`, jobs of that agent run one after the other.
 */
export function defineJobTool<
  const Name extends string,
  Input extends JobInput,
  const Entries extends v.ObjectEntries,
>(declaration: {
  readonly name: Name
  readonly family: ToolFamily
  readonly core?: boolean
  readonly title: string
  readonly description: string
  readonly input: Input
  readonly outcome: v.StrictObjectSchema<Entries, undefined>
  readonly annotations: ToolAnnotations
  readonly outcomeToText: (outcome: v.InferOutput<v.StrictObjectSchema<Entries, undefined>>) => string
  readonly deadlineMs?: (input: v.InferOutput<Input>) => number
  readonly resumes?: true
}): JobToolDeclaration<Name, Input, v.StrictObjectSchema<Entries, undefined>> {
  const { outcome, outcomeToText, deadlineMs, resumes, core = false, ...rest } = declaration
  const output = v.strictObject({ ...standing, ...v.partial(outcome).entries }) as JobOutput<
    v.StrictObjectSchema<Entries, undefined>
  >
  const tool = defineTool({
    ...rest,
    core,
    place: 'job',
    output,
    toText: (result) => jobToText(result, outcome, outcomeToText),
  })
  return {
    ...tool,
    outcome,
    outcomeToText,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(resumes === undefined ? {} : { resumes }),
  }
}

function jobToText<Outcome extends OutcomeSchema>(
  result: Record<string, unknown>,
  schema: Outcome,
  outcomeToText: (outcome: v.InferOutput<Outcome>) => string,
): string {
  const { job_id, state, progress, note } = v.parse(v.object(standing), result)
  const { job_id: _id, state: _state, progress: _progress, note: _note, ...fields } = result
  const outcome = v.safeParse(schema, fields)
  if (state === 'succeeded' && outcome.success) return outcomeToText(outcome.output)
  return [
    `Job ${job_id} is ${state}${progress ? `: ${progress.message}` : ''}.`,
    ...(progress?.steps ?? []).map((step) => `- ${step.state} ${step.action} ${step.path}`),
    ...(note === undefined ? [] : [note]),
    'Ask get_job for the outcome.',
  ].join('\n')
}
