import { type CallToolResult, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server'
import * as v from 'valibot'
import type { Caller } from '#shared/protocol/envelope.ts'
import { JOB_PROGRESS_META, type JobProgress } from '#shared/schemas/job.ts'
import { findJobTool, findTool, isJobTool } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { sha256Hex } from '../crypto.ts'
import { cancelCall } from '../jobs/submit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { AskPerson } from '../tools/call-context.ts'
import { confirmedTools } from '../tools/confirmed-call.ts'
import { askByResult, InputNeeded } from './asking.ts'
import { auditCalls, auditTaskCancels } from './audited-caller.ts'
import { createToolCaller, type ToolRunner } from './call-tool.ts'
import type { McpCaller, Received } from './caller.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { checkTraceparent, refuseRequestState } from './request-checks.ts'
import {
  createJobTasks,
  declaresTasks,
  serveTasks,
  type TaskMethod,
  type TaskParams,
  type TaskStore,
  toCreated,
} from './tasks.ts'

export const SESSION_HEADER = 'mcp-session-id'

/** What a job tool answers with, as far as it matters here; a refusal has neither. */
const JobAnswer = v.object({ job_id: v.optional(v.string()), state: v.optional(v.string()) })

/** Answers calls of the catalogue's tools, and what is asked about the tasks that they became. In one workspace. */
export interface McpAnswers {
  /** `request` is the one that the call came with. Rejects with an error of the protocol. */
  call(
    received: Received,
    era: 'legacy' | 'modern',
    request: Request | undefined,
    context: ServerContext,
    /** Of a session with the client, where it has one; in the newer era the message itself says who can be asked. */
    ask?: AskPerson,
  ): Promise<Record<string, unknown>>
  /** The same for a call that asks its client nothing and tells it nothing on the way. Never rejects. */
  short(received: Received, tool: ToolDeclaration, args: object, signal: AbortSignal): Promise<CallToolResult>
  task(
    received: Received,
    method: TaskMethod,
    params: v.InferOutput<typeof TaskParams>,
    context: ServerContext,
  ): Promise<Record<string, unknown>>
  /** Ends the job of the call that a client of the older era names by its request id. Never rejects. */
  cancel(request: Request, message: JsonRpcMessage, caller: McpCaller): Promise<void>
}

/** `otherTasks` are looked into before our jobs. */
export function createMcpAnswers(
  ports: EdgePorts,
  runTool: ToolRunner,
  otherTasks: readonly TaskStore[] = [],
): McpAnswers {
  const callTool = auditCalls(createToolCaller(runTool, ports.log), ports)
  const auditCancel = auditTaskCancels(ports)
  const jobTasks = createJobTasks(ports)
  const taskStores = [...otherTasks, jobTasks]

  /** Long work for a client that knows tasks: it is told at once under which name to ask for the outcome. */
  async function answerWithTask(
    tool: ToolDeclaration,
    args: object,
    { caller, credential, requestId }: Received,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const call = { caller, credential, requestId, signal, callKey: null, onProgress: null }
    const result = await callTool(tool, { ...args, wait_seconds: 0 }, call)
    const { job_id, state } = v.parse(JobAnswer, result.structuredContent)
    const isOver = result.isError === true || state === 'succeeded'
    const task = isOver || job_id === undefined ? null : await jobTasks.get(job_id)
    return task === null ? result : toCreated(task)
  }

  return {
    async call(received, era, request, context, sessionAsk) {
      const { mcpReq } = context
      // As they were sent: the SDK's copy may lack names like __proto__, and what we do not know we refuse.
      const { name, arguments: args = {} } = paramsOf(received.message)
      if (typeof name !== 'string' || typeof args !== 'object' || args === null || Array.isArray(args)) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid params: a name, and an object of arguments')
      }
      refuseRequestState(context)
      checkTraceparent(context)
      const tool = received.toolset.names.has(name) ? findTool(name) : undefined
      if (tool === undefined)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name.slice(0, 64)}`)
      if (era === 'modern' && isJobTool(tool) && declaresTasks(context))
        return answerWithTask(tool, args, received, mcpReq.signal)
      const session = era === 'legacy' && tool.place === 'job' ? (request?.headers.get(SESSION_HEADER) ?? null) : null
      const ask = era === 'modern' ? askByResult(context) : sessionAsk
      try {
        return await callTool(tool, args, {
          caller: received.caller,
          credential: received.credential,
          requestId: received.requestId,
          signal: mcpReq.signal,
          callKey: session === null ? null : await toCallKey(received.caller, session, mcpReq.id),
          onProgress: progressReporter(context),
          ...(ask === undefined ? {} : { ask }),
        })
      } catch (error) {
        if (error instanceof InputNeeded) return { ...error.toResult() }
        throw error
      }
    },
    short: ({ caller, credential, requestId }, tool, args, signal) =>
      callTool(tool, args, { caller, credential, requestId, signal, callKey: null, onProgress: null }),
    task(received, method, params, context) {
      const serve = () => serveTasks(taskStores, method, params, context)
      return method === 'tasks/cancel' ? auditCancel(received, params.taskId, serve) : serve()
    },
    async cancel(request, message, { caller }) {
      const session = request.headers.get(SESSION_HEADER)
      const { requestId } = paramsOf(message)
      if (session === null || (typeof requestId !== 'string' && typeof requestId !== 'number')) return
      try {
        await cancelCall(ports, await toCallKey(caller, session, requestId))
      } catch (error) {
        // A notification has no answer in which a failure could be told.
        ports.log.error('Cannot cancel a call', error)
      }
    },
  }
}

/** Whether answering may take long, so that the answer must be a stream. */
export function waits(message: JsonRpcMessage): boolean {
  const { name } = message.method === 'tools/call' ? paramsOf(message) : {}
  return typeof name === 'string' && (name === 'get_job' || findJobTool(name) !== undefined)
}

/** Whether a person may have to be asked before it is answered. */
export function mayAsk(message: JsonRpcMessage): boolean {
  const { name } = message.method === 'tools/call' ? paramsOf(message) : {}
  return typeof name === 'string' && confirmedTools.includes(name)
}

/** A session id is anyone's to claim; together with the subject it reaches nobody else's calls. */
function toCallKey(caller: Caller, session: string, requestId: string | number): Promise<string> {
  return sha256Hex(JSON.stringify([caller.subject, session, requestId]))
}

/** Reports to the client's progress token, in numbers that grow as the protocol demands: seconds of this call. */
function progressReporter({ mcpReq }: ServerContext): ((progress: JobProgress) => void) | null {
  const token = mcpReq._meta?.progressToken
  if (token === undefined) return null
  const startedAt = Date.now()
  let last = 0
  return (now) => {
    last = Math.max(last + 0.001, (Date.now() - startedAt) / 1000)
    // The whole of it for clients that know us; others show the message.
    const params = {
      progressToken: token,
      progress: last,
      message: now.message,
      _meta: { [JOB_PROGRESS_META]: now },
    }
    // The client may have gone; its call's signal says so to whoever waits.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }
}
