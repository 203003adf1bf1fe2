/** The JSON-RPC and MCP error codes that we answer with ourselves; the SDK has the rest. */
export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
export const INVALID_PARAMS = -32602
export const INTERNAL_ERROR = -32603
/** "Server error" of JSON-RPC: what the MCP SDK uses for refusals of the transport. */
export const TRANSPORT_ERROR = -32000
export const UNSUPPORTED_PROTOCOL_VERSION = -32022

export type JsonRpcId = string | number | null

/** A JSON-RPC error as a response. `id` is null where the request's own cannot be told. */
export function jsonRpcError(
  status: number,
  code: number,
  message: string,
  options: { id?: JsonRpcId; data?: unknown; headers?: Record<string, string> } = {},
): Response {
  const error = { code, message, ...(options.data === undefined ? {} : { data: options.data }) }
  return Response.json({ jsonrpc: '2.0', error, id: options.id ?? null }, { status, headers: options.headers ?? {} })
}
