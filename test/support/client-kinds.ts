import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as v from 'valibot'

/**
 * The clients that are out there: the current SDK as it comes (revision 2025-11-25) and set to revision 2026-07-28, and the
 * SDK of before.
 */
export const clientKinds = ['v2', 'v2 of 2026-07-28', 'v1'] as const
export type ClientKind = (typeof clientKinds)[number]

const ListedTool = v.object({
  name: v.string(),
  description: v.string(),
  inputSchema: v.looseObject({ type: v.literal('object') }),
  outputSchema: v.looseObject({ type: v.literal('object') }),
  annotations: v.object({ readOnlyHint: v.boolean(), destructiveHint: v.boolean(), idempotentHint: v.boolean() }),
})
export type ListedTool = v.InferOutput<typeof ListedTool>

const RawAnswer = v.object({
  isError: v.optional(v.boolean(), false),
  structuredContent: v.record(v.string(), v.unknown()),
  content: v.array(v.object({ type: v.literal('text'), text: v.string() })),
})
export type RawAnswer = v.InferOutput<typeof RawAnswer>

export interface Progress {
  readonly progress: number
  readonly message?: string | undefined
}

export interface CallOptions {
  readonly onprogress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface AnyClient {
  /** The revision that client and server agreed on. */
  readonly protocolVersion: string | undefined
  listTools(): Promise<ListedTool[]>
  /**
   * The result as it came. After `listTools` the SDK has checked it against the tool's published output schema. Rejects
   * when `signal` aborts; the SDK then tells the server in its own way.
   */
  call(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<RawAnswer>
  close(): Promise<void>
}

/** Connects a client of one kind to a running endpoint. */
export async function connectKind(kind: ClientKind, url: string, token: string): Promise<AnyClient> {
  const transportOptions = { requestInit: { headers: { authorization: `Bearer ${token}` } } }
  if (kind === 'v1') {
    const client = new OldClient({ name: 'millwright-test-old', version: '1.0.0' })
    const transport = new OldTransport(new URL(url), transportOptions)
    await client.connect(transport)
    return {
      protocolVersion: transport.protocolVersion,
      listTools: async () => (await client.listTools()).tools.map((tool) => v.parse(ListedTool, tool)),
      call: async (name, args, options = {}) =>
        v.parse(RawAnswer, await client.callTool({ name, arguments: args }, undefined, { ...options })),
      close: () => client.close(),
    }
  }
  const client = new Client(
    { name: 'millwright-test', version: '1.0.0' },
    kind === 'v2' ? {} : { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(url), transportOptions))
  return {
    protocolVersion: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools()).tools.map((tool) => v.parse(ListedTool, tool)),
    call: async (name, args, options = {}) =>
      v.parse(RawAnswer, await client.callTool({ name, arguments: args }, { ...options })),
    close: () => client.close(),
  }
}
