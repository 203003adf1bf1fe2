import type {
  CallToolResult,
  InputRequiredResult,
  Server,
  ServerCapabilities,
  ServerContext,
  ServerOptions,
  Tool,
} from '@modelcontextprotocol/server'
import type { TaskState, TaskStore } from './tasks.ts'

/** A tool that is not of the catalogue. It answers with a task only to clients that have declared the extension. */
export interface ExtensionTool {
  readonly listed: Tool
  /** May answer with a task, in the newer era. */
  readonly mayBeTask?: boolean
  /** Gets the arguments as they were sent. What it throws is an error of the protocol. */
  readonly call: (
    args: Record<string, unknown>,
    context: ServerContext,
    server: Server,
  ) => Promise<CallToolResult | InputRequiredResult | TaskState>
}

/**
 * What an endpoint serves beside the catalogue. The product has none: it is how the protocol's official tests, which call
 * tools of theirs by name, get these through the very same route, transport, guards and runtime.
 */
export interface McpExtension {
  readonly capabilities: ServerCapabilities
  readonly requestState?: ServerOptions['requestState']
  readonly tools: ReadonlyMap<string, ExtensionTool>
  /** Of the tools that answer with one. */
  readonly tasks: TaskStore
  /** Methods that `register` has handlers for, in place of the endpoint's own. */
  readonly methods: ReadonlySet<string>
  readonly register: (server: Server, method: string) => void
}
