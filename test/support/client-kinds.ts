import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
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

const Resource = v.object({
  uri: v.string(),
  name: v.string(),
  title: v.optional(v.string()),
  description: v.optional(v.string()),
  mimeType: v.optional(v.string()),
})
const Template = v.object({ uriTemplate: v.string(), name: v.string(), description: v.string() })
const Contents = v.object({ uri: v.string(), mimeType: v.string(), text: v.string() })
const Prompt = v.object({
  name: v.string(),
  title: v.string(),
  description: v.string(),
  arguments: v.array(v.object({ name: v.string(), description: v.string(), required: v.boolean() })),
})
const PromptMessages = v.object({
  messages: v.array(v.object({ role: v.string(), content: v.object({ type: v.literal('text'), text: v.string() }) })),
})
const Completion = v.object({
  completion: v.object({
    values: v.array(v.string()),
    total: v.optional(v.number()),
    hasMore: v.optional(v.boolean()),
  }),
})
type Reference = { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string }

/** What a client has of a server beside its tools. Rejects with the SDK's error, which has `code` and `data`. */
export interface ReadingClient {
  readonly capabilities: object | undefined
  readonly instructions: string | undefined
  /** All pages. */
  listResources(): Promise<v.InferOutput<typeof Resource>[]>
  listResourceTemplates(): Promise<v.InferOutput<typeof Template>[]>
  readResource(uri: string): Promise<v.InferOutput<typeof Contents>[]>
  listPrompts(): Promise<v.InferOutput<typeof Prompt>[]>
  /** The text of its one message. */
  getPrompt(name: string, args: Record<string, string>): Promise<string>
  complete(ref: Reference, name: string, value: string): Promise<v.InferOutput<typeof Completion>['completion']>
}

export interface AnyClient extends ReadingClient {
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
  return kind === 'v1'
    ? connectOld(new OldTransport(new URL(url), transportOptions))
    : connectCurrent(kind, new StreamableHTTPClientTransport(new URL(url), transportOptions))
}

/** Connects a client of one kind to a program that it starts and speaks to over pipes. */
export function connectKindToProgram(kind: ClientKind, program: StdioProgram): Promise<AnyClient> {
  const parameters = { ...program, args: [...program.args], stderr: 'ignore' as const }
  return kind === 'v1'
    ? connectOld(new OldStdioTransport(parameters))
    : connectCurrent(kind, new StdioClientTransport(parameters))
}

export interface StdioProgram {
  readonly command: string
  readonly args: readonly string[]
  /** All of it but what every program needs. */
  readonly env: Record<string, string>
}

/** What the client calls on any of them; the classes' own types do not agree on it. */
type OldTransports = (OldTransport | OldStdioTransport) & { setProtocolVersion?: (version: string) => void }

async function connectOld(transport: OldTransports): Promise<AnyClient> {
  const client = new OldClient({ name: 'millwright-test-old', version: '1.0.0' })
  let protocolVersion: string | undefined
  // The client tells its transport what was agreed on, where it takes it, and nobody else.
  const told = transport.setProtocolVersion?.bind(transport)
  transport.setProtocolVersion = (version: string) => {
    protocolVersion = version
    told?.(version)
  }
  await client.connect(transport)
  return {
    ...toReadingClient(client),
    protocolVersion,
    listTools: async () => (await client.listTools()).tools.map((tool) => v.parse(ListedTool, tool)),
    call: async (name, args, options = {}) =>
      v.parse(RawAnswer, await client.callTool({ name, arguments: args }, undefined, { ...options })),
    close: () => client.close(),
  }
}

async function connectCurrent(kind: Exclude<ClientKind, 'v1'>, transport: Transport): Promise<AnyClient> {
  const client = new Client(
    { name: 'millwright-test', version: '1.0.0' },
    kind === 'v2' ? {} : { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(transport)
  return {
    ...toReadingClient(client),
    protocolVersion: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools()).tools.map((tool) => v.parse(ListedTool, tool)),
    call: async (name, args, options = {}) =>
      v.parse(RawAnswer, await client.callTool({ name, arguments: args }, { ...options })),
    close: () => client.close(),
  }
}

/** Both SDKs have these methods; only their types differ. */
function toReadingClient(client: Client | OldClient): ReadingClient {
  return {
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    async listResources() {
      const all: v.InferOutput<typeof Resource>[] = []
      let cursor: string | undefined
      do {
        // The current client follows the cursors by itself where none is given.
        const page = await client.listResources(cursor === undefined ? undefined : { cursor })
        all.push(...page.resources.map((resource) => v.parse(Resource, resource)))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      return all
    },
    listResourceTemplates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map((template) => v.parse(Template, template)),
    readResource: async (uri) => (await client.readResource({ uri })).contents.map((each) => v.parse(Contents, each)),
    listPrompts: async () => (await client.listPrompts()).prompts.map((prompt) => v.parse(Prompt, prompt)),
    async getPrompt(name, args) {
      const { messages } = v.parse(PromptMessages, await client.getPrompt({ name, arguments: args }))
      if (messages.length !== 1 || messages[0]?.role !== 'user') throw new Error('Expected one message of the user')
      return messages[0].content.text
    },
    complete: async (ref, name, value) =>
      v.parse(Completion, await client.complete({ ref, argument: { name, value } })).completion,
  }
}
