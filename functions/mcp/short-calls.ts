import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server'
import { findTool } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { type McpAnswers, waits } from './answers.ts'
import type { Received } from './caller.ts'
import { paramsOf } from './message.ts'
import { isPlainlyLegacy } from './message-refusals.ts'

interface ShortCall {
  readonly tool: ToolDeclaration
  readonly args: object
  readonly id: unknown
  readonly isLegacy: boolean
  /** All that the SDK judges in such a call, but for what is checked here. */
  readonly envelope: string
}

/** One for each client program and way of connecting. */
const ENVELOPES_MAX = 200
const ENVELOPE_CHARACTERS_MAX = 2000

const messageKeys: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params'])
const paramKeys: ReadonlySet<string> = new Set(['name', 'arguments', '_meta'])

/**
 * Answers calls of tools that only read without a server object of the SDK, which costs more than all the rest of such a call
 * (docs/bench.md). The protocol is not judged here: a client's headers and `_meta` must be, to the character, those of a call
 * that the SDK has served before. Whatever is unusual goes to the SDK. The answers are the same to the byte.
 */
export class ShortCalls {
  readonly #answers: McpAnswers
  readonly #serverInfo: object
  /** Envelopes of calls that the SDK has served, in order of last use. */
  readonly #served = new Set<string>()

  constructor(answers: McpAnswers, serverInfo: object) {
    this.#answers = answers
    this.#serverInfo = serverInfo
  }

  /** Undefined for what the SDK must serve. */
  async serve(request: Request, received: Received): Promise<Response | undefined> {
    const call = findShortCall(request.headers, received)
    if (call === undefined || !this.#served.has(call.envelope)) return undefined
    this.#remember(call.envelope)
    const result = await this.#answers.short(received, call.tool, call.args, request.signal)
    const stamped = call.isLegacy
      ? result
      : { ...result, resultType: 'complete', _meta: { [SERVER_INFO_META_KEY]: this.#serverInfo } }
    return Response.json({ result: stamped, jsonrpc: '2.0', id: call.id })
  }

  /** The SDK has served this call, and nothing in it was refused. */
  learn(headers: Headers, received: Received): void {
    const call = findShortCall(headers, received)
    if (call !== undefined) this.#remember(call.envelope)
  }

  #remember(envelope: string): void {
    this.#served.delete(envelope)
    this.#served.add(envelope)
    const [oldest] = this.#served
    if (this.#served.size > ENVELOPES_MAX && oldest !== undefined) this.#served.delete(oldest)
  }
}

function findShortCall(headers: Headers, { message, toolset }: Received): ShortCall | undefined {
  const { id, method } = message
  if (method !== 'tools/call' || !hasOnly(message, messageKeys)) return undefined
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined
  const params = paramsOf(message)
  const { name, arguments: args = {}, _meta: meta } = params
  if (typeof name !== 'string' || !toolset.names.has(name) || !isObject(args) || !hasOnly(params, paramKeys))
    return undefined
  const tool = findTool(name)
  if (tool === undefined || waits(message) || !tool.annotations.readOnlyHint) return undefined
  const isLegacy = isPlainlyLegacy(headers, message)
  if (isLegacy ? meta !== undefined : !isNamedInHeaders(headers, name)) return undefined
  const envelope = JSON.stringify([
    headers.get('accept'),
    headers.get('content-type'),
    headers.get('mcp-protocol-version'),
    meta ?? null,
  ])
  return envelope.length > ENVELOPE_CHARACTERS_MAX ? undefined : { tool, args, id, isLegacy, envelope }
}

const isNamedInHeaders = (headers: Headers, name: string): boolean =>
  headers.get('mcp-method') === 'tools/call' && headers.get('mcp-name') === name

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasOnly = (value: object, keys: ReadonlySet<string>): boolean => Object.keys(value).every((key) => keys.has(key))
