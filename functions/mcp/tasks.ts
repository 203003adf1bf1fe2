import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequests,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { JobId } from '#shared/ids.ts'
import { isFinal } from '#shared/schemas/job.ts'
import { findTool } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { toPublicResult } from '../jobs/outcome.ts'
import { cancelJob } from '../jobs/submit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { JobRecord } from '../ports/registry.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { toFailure, toSuccess } from './tool-result.ts'

// The extension for long work (SEP-2663): a call of a tool that takes long answers with a task, and the client asks for it.

/** Its name among the capabilities of both sides. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
/** What both sides declare. */
export const tasksCapability = { extensions: { [TASKS_EXTENSION]: {} } }

const HEADER_MISMATCH = -32020
const POLL_INTERVAL_MS = 1000
/** Ended jobs are kept by number, not by age: thousands of them, so a day is a promise that holds. */
const TTL_MS = 24 * 60 * 60_000

/** A task as the protocol shows it. What is asked for and how it ended are shown by `tasks/get` alone. */
export interface TaskState {
  readonly taskId: string
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  readonly statusMessage?: string
  readonly createdAt: string
  readonly lastUpdatedAt: string
  readonly ttlMs: number
  readonly pollIntervalMs: number
  readonly inputRequests?: InputRequests
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string }
}

/** Where tasks are kept. Each answers null or false for one that is not here. */
export interface TaskStore {
  get(taskId: string): Promise<TaskState | null>
  /** Hands over what the client was asked for. */
  update(taskId: string, inputResponses: Record<string, unknown>): Promise<boolean>
  /** A task that is over stays as it is. */
  cancel(taskId: string): Promise<boolean>
}

const taskMethods = ['tasks/get', 'tasks/update', 'tasks/cancel'] as const
export type TaskMethod = (typeof taskMethods)[number]
export const isTaskMethod = (method: unknown): method is TaskMethod => taskMethods.some((each) => each === method)

/** Whether the client declared the extension with this very message: nobody else is given a task. */
export function declaresTasks({ mcpReq }: ServerContext): boolean {
  const envelope: Record<string, unknown> = { ...mcpReq.envelope }
  const capabilities = v.safeParse(
    v.object({ extensions: v.record(v.string(), v.unknown()) }),
    envelope[CLIENT_CAPABILITIES_META_KEY],
  )
  return capabilities.success && TASKS_EXTENSION in capabilities.output.extensions
}

export const tasksMissing = (): MissingRequiredClientCapabilityError =>
  new MissingRequiredClientCapabilityError({ requiredCapabilities: tasksCapability })

/** What a call answers with when its tool's work goes on. */
export const toCreated = ({ inputRequests: _asked, result: _result, error: _error, ...task }: TaskState) => ({
  resultType: 'task',
  ...task,
})

/**
 * Why the header that names the task is refused; null where it is right. Like the headers of the protocol's own methods,
 * which the SDK compares: who routes by a header must be able to trust it.
 */
export function findHeaderProblem(headers: Headers, message: JsonRpcMessage): { code: number; message: string } | null {
  if (!isTaskMethod(message.method)) return null
  const { taskId } = paramsOf(message)
  const name = headers.get('mcp-name')
  // Without a task there is nothing to route by; the params are refused for it.
  if (name === taskId || taskId === undefined) return null
  const problem = name === null ? 'is missing' : 'does not match params.taskId'
  return { code: HEADER_MISMATCH, message: `Header mismatch: Mcp-Name ${problem}` }
}

export const TaskParams = v.object({ taskId: v.string() })

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel`. The first store that has the task answers. */
export async function serveTasks(
  stores: readonly TaskStore[],
  method: TaskMethod,
  { taskId }: v.InferOutput<typeof TaskParams>,
  context: ServerContext,
): Promise<Record<string, unknown>> {
  if (!declaresTasks(context)) throw tasksMissing()
  const answers = context.mcpReq.inputResponses ?? {}
  for (const store of stores) {
    if (method === 'tasks/get') {
      const task = await store.get(taskId)
      if (task !== null) return { resultType: 'complete', ...task }
    } else if (method === 'tasks/update' && (await store.update(taskId, answers))) {
      return { resultType: 'complete' }
    } else if (method === 'tasks/cancel' && (await store.cancel(taskId))) {
      return { resultType: 'complete' }
    }
  }
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: there is no task "${taskId.slice(0, 64)}"`)
}

/** Our jobs as tasks: the same ids, so that `get_job` finds them too. */
export function createJobTasks(ports: EdgePorts): TaskStore {
  const { registry, workspace, bus } = ports
  const find = async (taskId: string): Promise<JobRecord | null> => {
    const id = v.safeParse(JobId, taskId)
    if (!id.success) return null
    try {
      return await registry.getJob(workspace, id.output)
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return null
      throw error
    }
  }
  return {
    async get(taskId) {
      const record = await find(taskId)
      if (record === null) return null
      const progress = isFinal(record.job.state) ? null : await bus.progress(workspace, record.job.job_id)
      return toTask(record, progress?.message)
    },
    // Nothing of ours asks for input: an answer to nothing changes nothing.
    update: async (taskId) => (await find(taskId)) !== null,
    async cancel(taskId) {
      const record = await find(taskId)
      if (record !== null) await cancelJob(ports, record.job.job_id)
      return record !== null
    },
  }
}

/** A job as a task. A refusal is what the tool answers, so its task is completed: `failed` is for the protocol's errors. */
export function toTask({ job, result }: JobRecord, statusMessage?: string): TaskState {
  const shown = {
    taskId: job.job_id,
    createdAt: job.created_at,
    lastUpdatedAt: job.finished_at ?? job.started_at ?? job.created_at,
    ttlMs: TTL_MS,
    pollIntervalMs: POLL_INTERVAL_MS,
    ...(statusMessage === undefined ? {} : { statusMessage }),
  }
  if (job.state === 'cancelled') return { ...shown, status: 'cancelled' }
  if (job.error !== null)
    return { ...shown, status: 'completed', result: { ...toFailure(AppError.fromWire(job.error)) } }
  const tool: ToolDeclaration | undefined = findTool(job.tool)
  if (result === null || tool === undefined) return { ...shown, status: 'working' }
  const fields = { ...toPublicResult(job.tool, result), job_id: job.job_id, state: job.state }
  return { ...shown, status: 'completed', result: { ...toSuccess(tool, fields) } }
}
