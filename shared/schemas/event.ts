import * as v from 'valibot'
import { WIRE_VERSION } from '../protocol/subjects.ts'
import { JobProgress, JobState } from './job.ts'
import { ModelState } from './worker.ts'

/** Progress of one job on its own subject. Unknown keys are ignored: progress is for showing, never for deciding. */
export const JobEvent = v.object({
  v: v.literal(WIRE_VERSION),
  job_id: v.string(),
  state: JobState,
  progress: v.nullable(JobProgress),
})
export type JobEvent = v.InferOutput<typeof JobEvent>

const version = v.literal(WIRE_VERSION)

/**
 * Something in a workspace changed: ids, paths and states, never contents; who may see more asks for it. What was added to a
 * kind later is optional, since edge and worker may be of different versions; a kind that is not known is ignored.
 */
export const WorkspaceEvent = v.variant('type', [
  v.object({
    v: version,
    type: v.literal('agent_changed'),
    agent_id: v.string(),
    change: v.exactOptional(v.picklist(['created', 'updated', 'deleted'])),
  }),
  /** A job of an agent that is `running` means that the agent is working. `agent_id` is left out for a job of no agent. */
  v.object({
    v: version,
    type: v.literal('job_changed'),
    job_id: v.string(),
    state: JobState,
    agent_id: v.exactOptional(v.string()),
  }),
  /** As in JobProgress, without its words. */
  v.object({
    v: version,
    type: v.literal('job_progressed'),
    job_id: v.string(),
    phase: JobProgress.entries.phase,
    round: v.number(),
    tokens: v.number(),
  }),
  /** Written or removed by the worker; what a person does with an editor is not told. `agent_id` is the writing agent's. */
  v.object({
    v: version,
    type: v.literal('file_changed'),
    path: v.string(),
    change: v.exactOptional(v.picklist(['written', 'deleted'])),
    agent_id: v.exactOptional(v.string()),
  }),
  v.object({ v: version, type: v.literal('committed'), commit: v.string() }),
  v.object({
    v: version,
    type: v.literal('worker_changed'),
    worker_id: v.string(),
    state: v.picklist(['started', 'stopped']),
  }),
  v.object({ v: version, type: v.literal('model_changed'), model: v.string(), state: ModelState }),
])
export type WorkspaceEvent = v.InferOutput<typeof WorkspaceEvent>

/** A job's new state, with the agent that works on it where there is one. */
export const jobChanged = (
  job_id: string,
  state: JobState,
  agentId: string | null = null,
): Extract<WorkspaceEvent, { type: 'job_changed' }> => ({
  v: WIRE_VERSION,
  type: 'job_changed',
  job_id,
  state,
  ...(agentId === null ? {} : { agent_id: agentId }),
})
