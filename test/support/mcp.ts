import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

export type Fields = Record<string, unknown>

export interface ToolAnswer {
  readonly success: boolean
  /** `structuredContent` without `success`. */
  readonly fields: Fields
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint?: string
    readonly details?: Fields
  } | null
  /** `content[0].text`. */
  readonly text: string
}

export interface TestClient {
  readonly client: Client
  /** Calls a tool and returns its answer, a refusal included. */
  call(name: string, args: unknown, options?: Parameters<Client['callTool']>[1]): Promise<ToolAnswer>
  /** Calls a tool that must succeed. */
  ok(name: string, args: Fields): Promise<Fields>
  close(): Promise<void>
}

/** Tools that want a word before something is lost. */
const confirming = ['delete_file', 'write_file', 'agent_update_file']

/** As a test calls a tool: it means to overwrite and delete what it does, unless it says otherwise. */
const confirmed = (name: string, args: unknown): Fields =>
  confirming.includes(name) && typeof args === 'object' && args !== null && !Array.isArray(args)
    ? { confirm: true, ...args }
    : (args as Fields)

/** Connects the current MCP client to a running endpoint. */
export async function connectClient(url: string, token: string): Promise<TestClient> {
  const client = new Client({ name: 'millwright-test', version: '1.0.0' })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  )
  const call: TestClient['call'] = async (name, args, options) => {
    const result = await client.callTool({ name, arguments: confirmed(name, args) }, options)
    const { success, error, ...fields } = (result.structuredContent ?? {}) as Fields
    const [first] = result.content as { type: string; text?: string }[]
    return {
      success: success === true && result.isError !== true,
      fields,
      error: (error as ToolAnswer['error'] | undefined) ?? null,
      text: first?.text ?? '',
    }
  }
  return {
    client,
    call,
    async ok(name, args) {
      const answer = await call(name, args)
      if (!answer.success) throw new Error(`${name} was refused: ${JSON.stringify(answer.error)} ${answer.text}`)
      return answer.fields
    },
    close: () => client.close(),
  }
}
