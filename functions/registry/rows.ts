import * as v from 'valibot'
import { AppError, WireError } from '#shared/errors.ts'
import { AgentId, JobId } from '#shared/ids.ts'
import { PATH_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Agent, AgentSummary } from '#shared/schemas/agent.ts'
import { JobState } from '#shared/schemas/job.ts'
import type { JobRecord } from '../ports/registry.ts'
import type { SqlRow } from '../ports/sql.ts'

// Rows are parsed like any other input: the file can have been edited, restored or damaged.

const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15))
const toIso = (epochMs: number): string => new Date(epochMs).toISOString()

/** What can be a repository path at all; which file it names is the worker's to say. */
const plausiblePath = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(PATH_BYTES_MAX),
  v.check(
    (path) =>
      !/[\u0000-\u001f\u007f\\]/.test(path) &&
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a repository path in normal form',
  ),
)

const summaryEntries = {
  agent_id: AgentId,
  version: v.literal(1),
  name: v.pipe(v.string(), v.minLength(1)),
  managed_file: plausiblePath,
  model: v.nullable(v.string()),
  description: v.nullable(v.string()),
  working: v.picklist([0, 1]),
  created_at: time,
  updated_at: time,
}
const AgentSummaryRow = v.object(summaryEntries)
const AgentRow = v.object({ ...summaryEntries, system_prompt: v.string() })

function toSummary(row: v.InferOutput<typeof AgentSummaryRow>): AgentSummary {
  return {
    agent_id: row.agent_id,
    name: row.name,
    managed_file: row.managed_file,
    model: row.model,
    description: row.description,
    state: row.working === 1 ? 'working' : 'idle',
    created_at: toIso(row.created_at),
    updated_at: toIso(row.updated_at),
  }
}

/** Null for a row that cannot be trusted. */
export function parseAgentSummary(row: SqlRow): AgentSummary | null {
  const parsed = v.safeParse(AgentSummaryRow, row)
  return parsed.success ? toSummary(parsed.output) : null
}

/** Null for a row that cannot be trusted. */
export function parseAgent(row: SqlRow): Agent | null {
  const parsed = v.safeParse(AgentRow, row)
  return parsed.success ? { ...toSummary(parsed.output), system_prompt: parsed.output.system_prompt } : null
}

const JsonText = v.pipe(v.string(), v.parseJson())
const JsonRecord = v.pipe(JsonText, v.record(v.string(), v.unknown()))

/** What the column of a job of no agent holds, which must hold something. No agent can have this id. */
export const NO_AGENT = ''

const JobRow = v.object({
  job_id: JobId,
  tool: v.string(),
  agent_id: v.string(),
  state: JobState,
  cancel_requested: v.picklist([0, 1]),
  created_at: time,
  started_at: v.nullable(time),
  finished_at: v.nullable(time),
  error: v.nullable(v.pipe(JsonText, WireError)),
  args: JsonRecord,
  result: v.nullable(JsonRecord),
})

/** Null for a row that cannot be trusted. */
export function parseJob(row: SqlRow): JobRecord | null {
  const parsed = v.safeParse(JobRow, row)
  if (!parsed.success) return null
  const { args, result, cancel_requested, ...job } = parsed.output
  return {
    job: {
      ...job,
      agent_id: job.agent_id === NO_AGENT ? null : job.agent_id,
      created_at: toIso(job.created_at),
      started_at: job.started_at === null ? null : toIso(job.started_at),
      finished_at: job.finished_at === null ? null : toIso(job.finished_at),
    },
    args,
    result,
    cancel_requested: cancel_requested === 1,
  }
}

export function damaged(what: 'agent' | 'job', id: string): AppError {
  return new AppError('unavailable', `Cannot use ${what} "${id}": its registry record is damaged`, {
    hint:
      what === 'agent'
        ? 'Others are not affected. Delete the agent and create it again; its file stays'
        : 'Others are not affected. Start the job again',
  })
}
