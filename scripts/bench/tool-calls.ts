import type { KeepAliveClient } from './keep-alive-client.ts'
import type { Call } from './rounds.ts'

/** The two eras of the protocol, by the revision that stands for each. */
export type Era = '2026-07-28' | '2025-11-25'

export interface Endpoint {
  readonly url: string
  readonly token: string
}

type Fields = Record<string, unknown>

/** What each 2026-07-28 request says of its client; nothing is negotiated beforehand. */
const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'millwright-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

export interface ToolCalls {
  /** Calls a tool and gives its `structuredContent`. Rejects where it is refused. */
  call(name: string, args: Fields): Promise<Fields>
  /**
   * A tool call to be timed: its arguments are asked for each time, its answer is only looked at as far as it must be to
   * know that it is a success.
   */
  timed(name: string, args: () => Fields, era?: Era): Call
  /** The first page of `resources/list` to be timed. */
  readonly timedResourceList: Call
}

export function createToolCalls(client: KeepAliveClient, { url, token }: Endpoint): ToolCalls {
  const address = new URL(url)
  let lastId = 0
  const post = (method: string, params: Fields & { name?: string }, era: Era): Promise<Buffer> => {
    const modern = era === '2026-07-28'
    const named = params.name === undefined ? {} : { 'mcp-name': params.name }
    return client.post({
      url: address,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': era,
        ...(modern ? { 'mcp-method': method, ...named } : {}),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: ++lastId,
        method,
        params: { ...params, ...(modern ? { _meta: envelope } : {}) },
      }),
    })
  }
  const postCall = (name: string, args: Fields, era: Era): Promise<Buffer> =>
    post('tools/call', { name, arguments: args }, era)
  return {
    async call(name, args) {
      const answer = requireSuccess(name, await postCall(name, args, '2026-07-28'))
      const message = JSON.parse(answer.toString('utf8')) as { result: { structuredContent: Fields } }
      return message.result.structuredContent
    },
    timed: (name, args, era = '2026-07-28') => {
      return async () => requireSuccess(name, await postCall(name, args(), era))
    },
    timedResourceList: async () =>
      requireSuccess('resources/list', await post('resources/list', {}, '2026-07-28'), RESOURCES),
  }
}

const RESOURCES = Buffer.from('"resources":[{')
const SUCCESS = Buffer.from('"structuredContent":{"success":true')

function requireSuccess(name: string, answer: Buffer, mark = SUCCESS): Buffer {
  if (answer.includes(mark)) return answer
  throw new Error(`${name} was refused: ${answer.toString('utf8', 0, 500)}`)
}
