import * as v from 'valibot'
import { WIRE_VERSION } from '../protocol/subjects.ts'
import { JobProgress, JobState } from './job.ts'

/** Progress of one job on its own subject. Unknown keys are ignored: progress is for showing, never for deciding. */
export const JobEvent = v.object({
  v: v.literal(WIRE_VERSION),
  job_id: v.string(),
  state: JobState,
  progress: v.nullable(JobProgress),
})
export type JobEvent = v.InferOutput<typeof JobEvent>

/** Something in a workspace changed. Carries ids only: who may see more asks for it. */
export const WorkspaceEvent = v.variant('type', [
  v.object({ v: v.literal(WIRE_VERSION), type: v.literal('agent_changed'), agent_id: v.string() }),
  v.object({ v: v.literal(WIRE_VERSION), type: v.literal('job_changed'), job_id: v.string(), state: JobState }),
  v.object({ v: v.literal(WIRE_VERSION), type: v.literal('file_changed'), path: v.string() }),
])
export type WorkspaceEvent = v.InferOutput<typeof WorkspaceEvent>
