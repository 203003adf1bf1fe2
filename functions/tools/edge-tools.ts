import type { EdgePorts } from '../ports/edge-ports.ts'
import { createAgentTools } from './agents.ts'
import type { EdgeHandlers, EdgeToolName } from './call-context.ts'
import { createChatTools } from './chat.ts'
import { createJobTools } from './jobs.ts'
import { createSystemTools } from './system.ts'

/** Every tool that the edge serves. Complete by type: a new edge tool does not compile without its handler. */
export function createEdgeTools(ports: EdgePorts): EdgeHandlers<EdgeToolName> {
  return {
    ...createAgentTools(ports),
    ...createChatTools(ports),
    ...createJobTools(ports),
    ...createSystemTools(ports),
  }
}
