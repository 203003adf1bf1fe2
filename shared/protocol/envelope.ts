import * as v from 'valibot'
import { AppError, invalidInput, WireError } from '../errors.ts'
import { AgentId, JobId, WorkspaceId } from '../ids.ts'
import { ActingAgent, EarlierTask } from '../schemas/agent.ts'
import { JobOutcome } from '../schemas/job.ts'
import { WIRE_VERSION } from './subjects.ts'

const version = v.literal(WIRE_VERSION)

/** Who asks. `subject` is an opaque id, never a token. */
export const Caller = v.object({ subject: v.string() })
export type Caller = v.InferOutput<typeof Caller>

/**
 * A short call. `args` are the tool's arguments as the edge validated them; the worker validates them again.
 * `deadline` is in epoch milliseconds: work that starts after it is refused with `timeout`.
 */
export const CallEnvelope = v.object({
  v: version,
  id: v.string(),
  workspace: WorkspaceId,
  caller: Caller,
  tool: v.string(),
  args: v.record(v.string(), v.unknown()),
  /** The acting agent's record where the arguments name one. */
  agent: v.nullable(ActingAgent),
  deadline: v.number(),
})
export type CallEnvelope = v.InferOutput<typeof CallEnvelope>

export const CallReply = v.variant('ok', [
  v.object({ v: version, id: v.string(), ok: v.literal(true), result: v.record(v.string(), v.unknown()) }),
  v.object({ v: version, id: v.string(), ok: v.literal(false), error: WireError }),
])
export type CallReply = v.InferOutput<typeof CallReply>

/** What lies in the work queue: only which job. The registry has the rest, so a stale message can do no harm. */
export const JobMessage = v.object({ v: version, workspace: WorkspaceId, job_id: JobId })
export type JobMessage = v.InferOutput<typeof JobMessage>

/** `worker_id` is the worker's own word for itself; whose the claim is, its signature says. */
export const ClaimJob = v.object({ v: version, job_id: JobId, worker_id: v.string() })
export type ClaimJob = v.InferOutput<typeof ClaimJob>

/**
 * `settled` means that the job has ended (or never was) and its message can be dropped; `wait` that so many jobs of its agent
 * come first, and nothing was claimed.
 */
export const ClaimJobReply = v.variant('claim', [
  v.object({ v: version, claim: v.literal('settled') }),
  v.object({ v: version, claim: v.literal('wait'), ahead: v.number() }),
  v.object({
    v: version,
    claim: v.literal('run'),
    /** Grows with each claim. A result that carries an older one is refused. */
    fence: v.number(),
    tool: v.string(),
    args: v.record(v.string(), v.unknown()),
    agent: v.nullable(ActingAgent),
    caller: Caller,
    deadline: v.number(),
    cancel_requested: v.boolean(),
    /** The agent's conversation, oldest first. An edge of before leaves it out. */
    history: v.optional(v.array(EarlierTask)),
  }),
])
export type ClaimJobReply = v.InferOutput<typeof ClaimJobReply>

export const FinishJob = v.object({ v: version, job_id: JobId, fence: v.number(), outcome: JobOutcome })
export type FinishJob = v.InferOutput<typeof FinishJob>

/** `accepted` is false where the fence was old or the job had ended: the outcome of somebody else stands. */
export const FinishJobReply = v.object({ v: version, accepted: v.boolean() })
export type FinishJobReply = v.InferOutput<typeof FinishJobReply>

/** Asks which of the jobs that a worker runs it need not go on with: news of a cancel is lost while a connection is down. */
export const FindOver = v.object({ v: version, jobs: v.array(v.object({ job_id: JobId, fence: v.number() })) })
export type FindOver = v.InferOutput<typeof FindOver>

export const FindOverReply = v.object({ v: version, over: v.array(JobId) })
export type FindOverReply = v.InferOutput<typeof FindOverReply>

export const FindOwners = v.object({ v: version, file_keys: v.array(v.string()) })
export type FindOwners = v.InferOutput<typeof FindOwners>

/** Not `v.record`, which drops `constructor`, `prototype` and `__proto__`: a file may have any of these names. */
const OwnerByKey = v.custom<Record<string, string>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((owner) => typeof owner === 'string'),
  'must be an object of strings',
)

/** File key to agent id, for those keys that have an owner. */
export const FindOwnersReply = v.object({ v: version, owners: OwnerByKey })
export type FindOwnersReply = v.InferOutput<typeof FindOwnersReply>

/** Asks for the agents with their files, in the order of their ids, after the last one of the page before. */
export const ListOwners = v.object({ v: version, after: v.nullable(v.string()) })
export type ListOwners = v.InferOutput<typeof ListOwners>

const AgentFile = v.object({ agent_id: v.string(), managed_file: v.string(), file_key: v.string() })
/** `more` says that this was not the last page. */
export const ListOwnersReply = v.object({ v: version, agents: v.array(AgentFile), more: v.boolean() })
export type ListOwnersReply = v.InferOutput<typeof ListOwnersReply>

/** Asks for the agent of a file, for a job that runs under `fence`; made where nobody owns the file. */
export const TakeAgent = v.object({
  v: version,
  job_id: JobId,
  fence: v.number(),
  agent: v.object({
    agent_id: AgentId,
    name: v.string(),
    managed_file: v.string(),
    file_key: v.string(),
    system_prompt: v.string(),
    description: v.nullable(v.string()),
  }),
  /** Whether an agent that is made stays after the job. */
  keep: v.boolean(),
})
export type TakeAgent = v.InferOutput<typeof TakeAgent>

/** `made` says that the agent belongs to the job, or was made just now. */
export const TakeAgentReply = v.variant('ok', [
  v.object({ v: version, ok: v.literal(true), agent: ActingAgent, made: v.boolean() }),
  v.object({ v: version, ok: v.literal(false), error: WireError }),
])
export type TakeAgentReply = v.InferOutput<typeof TakeAgentReply>

/** Gives back an agent that the job was given because it was made for it. */
export const ReleaseAgent = v.object({ v: version, job_id: JobId, fence: v.number(), agent_id: AgentId })
export type ReleaseAgent = v.InferOutput<typeof ReleaseAgent>

/** False where the agent does not belong to the job, or the job to this claim: nothing was removed. */
export const ReleaseAgentReply = v.object({ v: version, released: v.boolean() })
export type ReleaseAgentReply = v.InferOutput<typeof ReleaseAgentReply>

/** What every answer of the registry may be instead: why the question was not taken. Nothing was changed then. */
export const MaybeRefused = v.object({ v: version, refused: v.optional(WireError) })
export type MaybeRefused = v.InferOutput<typeof MaybeRefused>

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Bytes of a message. Throws `too_large` where the connection could not carry them. */
export function encodeMessage(what: string, message: unknown, bytesMax: number): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(message))
  checkMessageBytes(what, bytes, bytesMax)
  return bytes
}

/** The same refusal for a message that was encoded before. */
export function checkMessageBytes(what: string, bytes: Uint8Array, bytesMax: number): void {
  if (bytes.byteLength <= bytesMax) return
  throw new AppError('too_large', `Cannot send ${what}: ${bytes.byteLength} bytes, limit ${bytesMax}`, {
    hint: 'Ask for a smaller part, or send less at once',
  })
}

/** Parses a message of a known schema. Throws `invalid_input` naming the fields that are wrong. */
export function decodeMessage<const S extends v.GenericSchema>(
  what: string,
  schema: S,
  bytes: Uint8Array,
): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw new AppError('invalid_input', `Cannot read ${what}: not JSON in UTF-8`, { cause })
  }
  const result = v.safeParse(schema, value)
  if (!result.success) throw invalidInput(what, result.issues)
  return result.output
}
