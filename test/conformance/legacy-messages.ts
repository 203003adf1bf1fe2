import * as v from 'valibot'

// Messages of 2025-11-25 as they go over the wire: what no client library sends when it is told to.

const Message = v.looseObject({
  id: v.optional(v.union([v.string(), v.number()])),
  method: v.optional(v.string()),
  params: v.optional(v.looseObject({})),
  result: v.optional(v.looseObject({})),
})
export type Message = v.InferOutput<typeof Message>

/** One session, as its client has it. */
export interface LegacySession {
  readonly id: string
  send(message: object, signal?: AbortSignal): Promise<Response>
  call(id: number, name: string, args: object, signal?: AbortSignal): Promise<Response>
  /** Opens the stream of messages. */
  listen(signal?: AbortSignal): Promise<Response>
  end(): Promise<Response>
}

/** Says hello, as a client that can be asked for input. */
export async function openSession(url: string): Promise<LegacySession> {
  const request = (method: string, session: string | null, message?: object, signal?: AbortSignal) =>
    fetch(url, {
      method,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(message === undefined ? {} : { 'content-type': 'application/json' }),
        ...(session === null ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
      },
      ...(message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
      ...(signal === undefined ? {} : { signal }),
    })
  const hello = await request('POST', null, {
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: { elicitation: {} },
      clientInfo: { name: 'sessions-test', version: '1.0.0' },
    },
  })
  await hello.text()
  const id = hello.headers.get('mcp-session-id')
  if (id === null) throw new Error(`No session was given: ${hello.status}`)
  const send: LegacySession['send'] = (message, signal) => request('POST', id, message, signal)
  await send({ method: 'notifications/initialized' })
  return {
    id,
    send,
    call: (callId, name, args, signal) =>
      send({ id: callId, method: 'tools/call', params: { name, arguments: args } }, signal),
    listen: (signal) => request('GET', id, undefined, signal),
    end: () => request('DELETE', id),
  }
}

/** The messages of a stream, as they come. */
export async function* messagesOf({ body }: Response): AsyncGenerator<Message> {
  if (body === null) return
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: {')) yield v.parse(Message, JSON.parse(line.slice(6)))
  }
}

/** The next message of a stream. Rejects where it ends before. */
export async function nextOf(messages: AsyncGenerator<Message>): Promise<Message> {
  const { value, done } = await messages.next()
  if (done === true) throw new Error('The stream has ended')
  return value
}
