import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

// What a page of another origin does with the MCP SDK's client, as a browser runs it. Bundled by `foreign-page-server.ts`.

export interface Visit {
  readonly revision: string | undefined
  readonly tools: number
  readonly answer: unknown
}

type Mode = ConstructorParameters<typeof Client>[1] extends infer O
  ? O extends { versionNegotiation?: { mode?: infer M } }
    ? M
    : never
  : never

/** Signs in with a token, lists the tools and calls one. Rejects as the SDK does. */
async function visit(url: string, token: string, mode: NonNullable<Mode>): Promise<Visit> {
  const client = new Client({ name: 'a-page', version: '1' }, { versionNegotiation: { mode } })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
  const { tools } = await client.listTools()
  const answer = await client.callTool({ name: 'list_agents', arguments: {} })
  const revision = client.getNegotiatedProtocolVersion()
  await client.close()
  return { revision, tools: tools.length, answer: answer.structuredContent }
}

/** Where the server says that a token is to be had: a header that only a page which was let in can read. */
async function challenge(url: string): Promise<string | null> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  return response.headers.get('www-authenticate')
}

Object.assign(globalThis, { visit, challenge })
