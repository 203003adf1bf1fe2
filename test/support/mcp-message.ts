// Messages of MCP as any program could send them, where no client library would.

type Fields = Readonly<Record<string, unknown>>

export interface McpMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The newest revision, whose messages each carry who sends them. */
export const MODERN = '2026-07-28'

/** What a client says of itself under `_meta` in each message of the newest revision. */
export const modernMeta = (capabilities: Fields = {}): Fields => ({
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'message-test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
})

interface ModernOptions {
  readonly id?: string | number
  readonly capabilities?: Fields
  /** For `Mcp-Name`, where it is not the name in the parameters. */
  readonly name?: string | undefined
}

/** A request of the newest revision, with the headers that go with it. What `params` has under `_meta` goes over what is sent there. */
export function modernMessage(
  method: string,
  params: Fields = {},
  { id = 1, capabilities = {}, name }: ModernOptions = {},
): McpMessage {
  const named = name ?? params.name
  const meta = { ...modernMeta(capabilities), ...(typeof params._meta === 'object' ? params._meta : {}) }
  return {
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  }
}

/** A call of a tool in the protocol's older form, which needs no more than this. */
export const callMessage = (name: string, args: unknown, id = 1): McpMessage => ({
  headers: {},
  body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }),
})

/** Posts a message, with a token where there is one. The message's own headers go over the usual ones. */
export const postMessage = (
  url: string | URL,
  token: string | undefined,
  { headers = {}, body }: Omit<McpMessage, 'headers'> & Partial<McpMessage>,
  signal?: AbortSignal,
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
    ...(signal === undefined ? {} : { signal }),
  })

/** The first message of an answer, be it plain JSON or a stream. */
export async function readMessage(response: Response): Promise<unknown> {
  const text = await response.text()
  return JSON.parse(/^data: (\{.*)$/mu.exec(text)?.[1] ?? text)
}
