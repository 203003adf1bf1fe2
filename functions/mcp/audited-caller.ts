import { type CallToolResult, ProtocolError } from '@modelcontextprotocol/server'
import * as v from 'valibot'
import { AppError, ErrorCode } from '#shared/errors.ts'
import { createAudit } from '../auth/audit.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { ToolCaller } from './call-tool.ts'
import type { McpCaller } from './caller.ts'

/** By what a call says on what it acts, in the order in which it is looked for. */
const targetFields = ['agent_id', 'path', 'file_path', 'job_id']
const TARGET_CHARACTERS_MAX = 200

const Refusal = v.looseObject({ error: v.looseObject({ code: ErrorCode }) })
const Started = v.looseObject({ job_id: v.string() })

/**
 * The same caller, with each call that may change something in the audit log when it has been answered: who, which tool, on
 * what, and how it ended; no text and no file. Reads are not written down: there are thousands, and they change nothing.
 */
export function auditCalls(call: ToolCaller, { signIn, workspace, log }: EdgePorts): ToolCaller {
  if (signIn === undefined) return call
  const audit = createAudit(signIn.accounts, log)
  return async (tool, args, context) => {
    const result = await call(tool, args, context)
    if (!tool.annotations.readOnlyHint) {
      await audit.record({
        actor: context.caller.subject,
        action: `tool.${tool.name}`,
        target: targetOf(args, result),
        workspace,
        outcome: outcomeOf(result),
        credential: context.credential ?? null,
      })
    }
    return result
  }
}

/** Runs what ends a task, and writes it down as the tool that does the same. */
type TaskCancelAudit = <T>(
  who: Pick<McpCaller, 'caller' | 'credential'>,
  taskId: string,
  cancel: () => Promise<T>,
) => Promise<T>

export function auditTaskCancels({ signIn, workspace, log }: EdgePorts): TaskCancelAudit {
  if (signIn === undefined) return (_who, _taskId, cancel) => cancel()
  const audit = createAudit(signIn.accounts, log)
  return async ({ caller, credential }, taskId, cancel) => {
    const record = (outcome: string) =>
      audit.record({
        actor: caller.subject,
        action: 'tool.cancel_job',
        target: toTarget(taskId),
        workspace,
        outcome,
        credential,
      })
    try {
      const answer = await cancel()
      await record('ok')
      return answer
    } catch (error) {
      // What the protocol refuses is that there is no such task.
      await record(error instanceof ProtocolError ? 'not_found' : error instanceof AppError ? error.code : 'internal')
      throw error
    }
  }
}

/** An id or a path, as the caller wrote it: cut, and without what could pass for something else in a list. */
const toTarget = (text: string): string => text.slice(0, TARGET_CHARACTERS_MAX).replace(/\p{C}/gu, '\ufffd')

function targetOf(args: unknown, { structuredContent }: CallToolResult): string | null {
  const sent = typeof args === 'object' && args !== null ? new Map<string, unknown>(Object.entries(args)) : new Map()
  const named = targetFields.map((field) => sent.get(field)).find((value) => typeof value === 'string')
  const started = v.safeParse(Started, structuredContent)
  const target = named ?? (started.success ? started.output.job_id : null)
  return target === null ? null : toTarget(target)
}

function outcomeOf({ isError, structuredContent }: CallToolResult): string {
  if (isError !== true) return 'ok'
  const refusal = v.safeParse(Refusal, structuredContent)
  return refusal.success ? refusal.output.error.code : 'internal'
}
