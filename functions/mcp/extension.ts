import type {
  CallToolResult,
  InputRequiredResult,
  Server,
  ServerCapabilities,
  ServerContext,
  ServerOptions,
  Tool,
} from '@modelcontextprotocol/server'

/** A tool that is not of the catalogue. */
export interface ExtensionTool {
  readonly listed: Tool
  /** Gets the arguments as they were sent. What it throws is an error of the protocol. */
  readonly call: (
    args: Record<string, unknown>,
    context: ServerContext,
    server: Server,
  ) => Promise<CallToolResult | InputRequiredResult>
}

/**
 * What an endpoint serves beside the catalogue. The product has none: it is how the protocol's official tests, which call
 * tools of theirs by name, get these through the very same route, transport, guards and runtime.
 */
export interface McpExtension {
  readonly capabilities: ServerCapabilities
  readonly requestState?: ServerOptions['requestState']
  readonly tools: ReadonlyMap<string, ExtensionTool>
  /** Methods that `register` has handlers for, in place of the endpoint's own. */
  readonly methods: ReadonlySet<string>
  readonly register: (server: Server, method: string) => void
}
