import { AppError } from '#shared/errors.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'
import { versionToReplace } from './confirmation.ts'
import { type FileToolPorts, readPage, writeAs } from './files.ts'
import type { ToolContext, ToolHandlers } from './handler.ts'

export function createAgentFileTools(ports: FileToolPorts): ToolHandlers<'get_agent_file' | 'agent_update_file'> {
  return {
    get_agent_file: (input, context) =>
      readPage(ports.files, requireAgent(context).managed_file, input.offset, input.limit),
    agent_update_file: (input, context) =>
      writeAs(ports, context, {
        path: requireAgent(context).managed_file,
        content: async (file) => ({
          text: input.content,
          expectedSha256: await versionToReplace(ports, file, requireAgent(context).agent_id, input),
        }),
        dryRun: false,
      }),
  }
}

/** The acting agent, without which the edge should not have sent the call. */
export function requireAgent(context: ToolContext): ActingAgent {
  if (context.agent === null) throw new AppError('invalid_input', 'Cannot act: the call names no agent')
  return context.agent
}
