import {
  type CallToolResult,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Received } from './caller.ts'
import type { ExtensionTool, McpExtension } from './extension.ts'
import { paramsOf } from './message.ts'
import { type TaskState, toCreated } from './tasks.ts'

/** The tool of an extension that a message calls. */
export function findExtensionTool(
  extension: McpExtension | null,
  { message }: Pick<Received, 'message'>,
): ExtensionTool | undefined {
  const { name } = message.method === 'tools/call' ? paramsOf(message) : {}
  return typeof name === 'string' ? extension?.tools.get(name) : undefined
}

/** Calls one that may answer with a task. */
export async function callTaskTool(
  tool: ExtensionTool,
  { message }: Pick<Received, 'message'>,
  context: ServerContext,
  server: Server,
) {
  const { arguments: args } = paramsOf(message)
  const result = await tool.call({ ...Object(args) }, context, server)
  return 'taskId' in result ? toCreated(result as TaskState) : result
}

/** Gives a server the handler of calls of those that do not. */
export function serveExtensionTools(
  server: Server,
  extension: McpExtension | null,
  receivedOf: (context: ServerContext) => Pick<Received, 'message'>,
  /** Answers calls of any other tool; left out where none come here. */
  callOther?: (context: ServerContext) => Promise<Record<string, unknown>>,
): void {
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = findExtensionTool(extension, receivedOf(context))
    if (tool === undefined && callOther !== undefined) return (await callOther(context)) as CallToolResult
    if (tool === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name.slice(0, 64)}`)
    const result = await tool.call(params.arguments ?? {}, context, server)
    if ('taskId' in result) throw new Error(`${params.name} answers with a task and does not say so`)
    return result as CallToolResult | InputRequiredResult
  })
}
