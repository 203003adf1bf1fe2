import type { CallToolResult } from '@modelcontextprotocol/server'
import * as v from 'valibot'
import { invalidInput } from '#shared/errors.ts'
import { findTool, isJobTool, type ToolName } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { toRefusal } from '../http/errors.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { Log } from '../ports/log.ts'
import type { CallContext, EdgeHandlers, EdgeToolName } from '../tools/call-context.ts'
import { callConfirmed } from '../tools/confirmed-call.ts'
import { createEdgeTools } from '../tools/edge-tools.ts'
import { callJobTool } from '../tools/job-tool.ts'
import { callWorkerTool } from '../tools/worker-tool.ts'
import { InputNeeded } from './asking.ts'
import { toFailure, toSuccess } from './tool-result.ts'

/** Runs a tool of the catalogue and answers with its fields. Rejects with AppError for a refusal; anything else is our bug. */
export type ToolRunner = (
  tool: ToolDeclaration,
  args: unknown,
  context: CallContext,
) => Promise<Record<string, unknown>>

/** The same as a result of the protocol. Whatever goes wrong is a result that says so; rejects with InputNeeded alone. */
export type ToolCaller = (tool: ToolDeclaration, args: unknown, context: CallContext) => Promise<CallToolResult>

type Handler = (input: Record<string, unknown>, context: CallContext) => Promise<Record<string, unknown>>

export function createToolRunner(ports: EdgePorts): ToolRunner {
  const handlers = toHandlers(createEdgeTools(ports))
  return async (tool, args, context) => {
    const input = v.safeParse(tool.input, args)
    if (!input.success) throw invalidInput(`the arguments of ${tool.name}`, input.issues)
    const handler = handlers.get(tool.name)
    if (handler !== undefined) return handler(input.output, context)
    return isJobTool(tool)
      ? callJobTool(ports, tool, input.output, context)
      : callConfirmed(tool.name, input.output, context.ask, (confirmed) =>
          callWorkerTool(ports, tool, confirmed, context),
        )
  }
}

export function createToolCaller(run: ToolRunner, log: Log): ToolCaller {
  return async (tool, args, context) => {
    try {
      return toSuccess(tool, await run(tool, args, context))
    } catch (error) {
      if (error instanceof InputNeeded) throw error
      return toFailure(toRefusal(error, context.requestId, log))
    }
  }
}

/**
 * The handlers by name, without their own types: each is given what its own tool's schema has just parsed, which the
 * compiler cannot follow through a lookup by name.
 */
function toHandlers(tools: EdgeHandlers<EdgeToolName>): ReadonlyMap<string, Handler> {
  const handlers = new Map<string, Handler>(Object.entries(tools as unknown as Record<ToolName, Handler>))
  for (const name of handlers.keys()) {
    if (findTool(name)?.place === 'worker') throw new Error(`The edge has a handler for ${name}, a tool of the worker`)
  }
  return handlers
}
