import * as v from 'valibot'
import { WireError } from '../errors.ts'
import { Job, JobState, ToldProgress } from '../schemas/job.ts'
import { defineTool, reads, removes } from './define-tool.ts'
import { agentId, cursor, jobId, limit, waitSeconds } from './fields.ts'
import { refusalToText } from './refusal-text.ts'

const jobLine = (job: Job): string =>
  `${job.job_id} ${job.tool}${job.agent_id === null ? '' : ` ${job.agent_id}`} ${job.state}${
    job.error === null ? '' : `: ${job.error.code}`
  }`

export const listJobs = defineTool({
  name: 'list_jobs',
  family: 'jobs',
  place: 'edge',
  core: false,
  title: 'List jobs',
  description: 'Jobs, newest first.',
  input: v.strictObject({
    state: v.optional(JobState),
    agent_id: v.optional(agentId),
    cursor: v.optional(cursor),
    limit: v.optional(limit),
  }),
  output: v.strictObject({ jobs: v.array(Job), next_cursor: v.nullable(v.string()) }),
  annotations: reads,
  toText: ({ jobs, next_cursor }) =>
    [
      ...(jobs.length === 0 ? ['No jobs'] : jobs.map(jobLine)),
      ...(next_cursor === null ? [] : [`More: cursor ${next_cursor}`]),
    ].join('\n'),
})

export const getJob = defineTool({
  name: 'get_job',
  family: 'jobs',
  place: 'edge',
  core: true,
  title: 'Job state and result',
  description: 'State, progress and result of a job; waits up to wait_seconds for its end.',
  input: v.strictObject({ job_id: jobId, wait_seconds: v.optional(waitSeconds) }),
  output: v.strictObject({
    job: Job,
    state: JobState,
    progress: v.nullable(ToldProgress),
    /** The tool's own result once the job has succeeded. */
    result: v.nullable(v.record(v.string(), v.unknown())),
    error: v.nullable(WireError),
  }),
  annotations: reads,
  toText: ({ job, progress, error }) => {
    if (error !== null) return `${jobLine(job)}\n${refusalToText(error)}`
    return [
      `${jobLine(job)}${progress === null ? '' : `: ${progress.message}`}`,
      ...(progress?.steps ?? []).map((step) => `- ${step.state} ${step.action} ${step.path}`),
    ].join('\n')
  },
})

export const cancelJob = defineTool({
  name: 'cancel_job',
  family: 'jobs',
  place: 'edge',
  core: false,
  title: 'Cancel job',
  description: 'Stop a job. A job that has ended stays as it is.',
  input: v.strictObject({ job_id: jobId }),
  output: v.strictObject({ job_id: v.string(), state: JobState, cancel_requested: v.boolean() }),
  annotations: removes,
  toText: ({ job_id, state, cancel_requested }) =>
    `${job_id} is ${state}${cancel_requested && state === 'running' ? ' and stopping' : ''}`,
})
