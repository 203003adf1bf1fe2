import * as v from 'valibot'

export const ModelState = v.picklist(['missing', 'downloading', 'loading', 'ready', 'failed'])

/** A configured model and whether it can be used now. */
export const ModelInfo = v.strictObject({
  name: v.string(),
  state: ModelState,
  /** For a person: why it is not ready and what to do, or what it is. */
  detail: v.string(),
  /** Bytes had and bytes in all while it downloads. */
  download: v.nullable(v.strictObject({ bytes: v.number(), bytes_total: v.nullable(v.number()) })),
  context_tokens: v.nullable(v.number()),
  /** Calls that wait for this model or are being answered. */
  queued: v.number(),
  /** The model workers that have it; left out where this worker has it itself. */
  served_by: v.exactOptional(
    v.array(
      v.strictObject({
        member: v.string(),
        host: v.string(),
        state: ModelState,
        queued: v.number(),
      }),
    ),
  ),
})
export type ModelInfo = v.InferOutput<typeof ModelInfo>

/** What a worker says about itself. Memory in bytes. No absolute path of the machine. */
export const WorkerInfo = v.strictObject({
  worker_id: v.string(),
  version: v.string(),
  repository: v.string(),
  started_at: v.string(),
  models: v.array(ModelInfo),
  gpu: v.nullable(v.strictObject({ name: v.string(), memory_bytes: v.number(), memory_used_bytes: v.number() })),
  memory: v.strictObject({ daemon_bytes: v.number(), model_bytes: v.nullable(v.number()), machine_bytes: v.number() }),
  jobs_running: v.number(),
  /** Things of the repository that were switched off or refused, for a person. */
  notices: v.array(v.string()),
})
export type WorkerInfo = v.InferOutput<typeof WorkerInfo>
