import * as v from 'valibot'
import { AgentId } from '#shared/ids.ts'
import { CALL_TIMEOUT_MS } from '#shared/protocol/limits.ts'
import { type CallFamily, callFamilies } from '#shared/protocol/subjects.ts'
import { toActingAgent } from '#shared/schemas/agent.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { askWorker } from './ask-worker.ts'
import type { CallContext } from './call-context.ts'

/** Hands a tool to the worker. Where the arguments name an agent, its record goes along: `not_found` without one. */
export async function callWorkerTool(
  ports: EdgePorts,
  tool: ToolDeclaration,
  args: Record<string, unknown>,
  context: CallContext,
): Promise<Record<string, unknown>> {
  const agentId = v.safeParse(AgentId, args.agent_id)
  const agent = agentId.success ? await ports.registry.getAgent(ports.workspace, agentId.output) : undefined
  const question = { name: tool.name, family: callFamily(tool), output: tool.output }
  return askWorker(ports, question, args, context, {
    timeoutMs: CALL_TIMEOUT_MS,
    ...(agent === undefined ? {} : { agent: toActingAgent(agent) }),
  })
}

function callFamily(tool: ToolDeclaration): CallFamily {
  const family = callFamilies.find((candidate) => candidate === tool.family)
  if (family === undefined) throw new Error(`No subject serves the family ${tool.family} of ${tool.name}`)
  return family
}
