import * as v from 'valibot'
import { JobId } from '../ids.ts'
import { WorkerInfo } from '../schemas/worker.ts'
import { PAGE_MAX, PATH_BYTES_MAX } from './limits.ts'

// Questions of the edge that only the worker can answer, and that are no tools. They travel as call envelopes
// on the family `agents` or `system`, with these names in `tool`.

/** Which file a path names, before the registry gives it an owner. Refuses what no agent may own. */
export const PrepareAgent = {
  name: 'prepare_agent',
  family: 'agents',
  input: v.strictObject({ managed_file: v.string(), model: v.nullable(v.string()) }),
  output: v.object({
    /** Normal form: what callers see. */
    path: v.string(),
    /** The same for all spellings of one file (folded where the file system folds): what ownership is kept by. */
    file_key: v.string(),
  }),
} as const

/** The state of an agent's file. */
export const FileState = {
  name: 'file_state',
  family: 'agents',
  input: v.strictObject({ path: v.string() }),
  output: v.object({ exists: v.boolean(), line_count: v.nullable(v.number()), sha256: v.nullable(v.string()) }),
} as const

/** Whether the worker is at work on a call: one that was killed and started again is not. */
export const CallState = {
  name: 'call_state',
  family: 'system',
  input: v.strictObject({ call_id: v.string() }),
  output: v.object({ under_way: v.boolean() }),
} as const

export const GetWorkerInfo = {
  name: 'worker_info',
  family: 'system',
  input: v.strictObject({}),
  output: WorkerInfo,
} as const

/** The rules that hold for what is written, as lines for a reader. */
export const DescribeRules = {
  name: 'describe_rules',
  family: 'system',
  input: v.strictObject({}),
  output: v.object({
    rules: v.array(v.string()),
    /** What is wrong with the repository's own rules; the defaults hold then, and nothing can be written. */
    fault: v.nullable(v.string()),
    /** The text of `millwright.json`; null where there is none or it cannot be read. */
    source: v.nullable(v.string()),
  }),
} as const

/** The stored report of a job that looked at the whole repository, as SARIF. */
export const ReadReport = {
  name: 'read_report',
  family: 'system',
  input: v.strictObject({ job_id: JobId }),
  output: v.object({ text: v.string() }),
} as const

/** Paths of files that begin so, for a person who is typing one: what `list_files` shows and `read_file` would read. */
export const CompletePath = {
  name: 'complete_path',
  family: 'system',
  input: v.strictObject({
    start: v.pipe(v.string(), v.maxLength(PATH_BYTES_MAX)),
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_MAX)),
  }),
  output: v.object({ paths: v.array(v.string()), more: v.boolean() }),
} as const
