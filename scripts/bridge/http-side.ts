import {
  type AuthProvider,
  type FetchLike,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import * as v from 'valibot'

const Refusal = v.looseObject({
  jsonrpc: v.literal('2.0'),
  error: v.looseObject({ code: v.number(), message: v.string() }),
})
const Sent = v.looseObject({ id: v.union([v.string(), v.number()]) })

/** Refusals that the transport itself knows what to do with: to sign in, to begin a new session, to try again. */
const transportKnows = new Set([401, 404])

/** Hears how it goes with the stream of messages that a session of an older revision has. */
export interface StreamWatch {
  /** It is open, or there will be none. */
  onSettled(): void
  /** It was open and has ended. It is being opened again. */
  onEnd(): void
  /** It was open and cannot be opened again: the endpoint was restarted and has forgotten the session. */
  onForgotten(): void
}

/**
 * The SDK's HTTP transport, with two differences. A refusal that has words for the caller (403, 413, 429, …) is an answer and
 * reaches the client as the endpoint wrote it; and somebody hears of the session's stream.
 */
export function createHttpSide(
  url: URL,
  authProvider: AuthProvider | OAuthClientProvider,
  watch: StreamWatch,
): StreamableHTTPClientTransport {
  let hadStream = false
  const send: FetchLike = async (target, init) => {
    if (String(target) !== url.href) return fetch(target, init)
    if (init?.method === 'GET') {
      const response = await fetch(target, init).catch((error: unknown) => {
        // The transport tries again to open what was open before, and nothing else.
        if (!hadStream) watch.onSettled()
        throw error
      })
      if (response.ok && response.body !== null) {
        hadStream = true
        watch.onSettled()
        return new Response(watched(response.body, watch.onEnd), { status: 200, headers: response.headers })
      }
      if (hadStream && (response.status === 404 || response.status === 405)) {
        hadStream = false
        watch.onForgotten()
      } else if (!hadStream) watch.onSettled()
      return response
    }
    const response = await fetch(target, init)
    return init?.method === 'POST' ? await toAnswer(response, init.body) : response
  }
  return new StreamableHTTPClientTransport(url, {
    authProvider,
    fetch: send,
    onInsufficientScope: 'throw',
    // For as long as the client stays.
    reconnectionOptions: {
      initialReconnectionDelay: 200,
      maxReconnectionDelay: 5000,
      reconnectionDelayGrowFactor: 1.5,
      maxRetries: Number.MAX_SAFE_INTEGER,
    },
  })
}

/** The same bytes. `onEnd` is told when they end, in whatever way, unless nobody wants them any more. */
function watched(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          controller.enqueue(value)
          return
        }
        onEnd()
        controller.close()
      } catch (error) {
        onEnd()
        controller.error(error)
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** A refusal in the protocol's form, as the answer to the request that it refuses; all else as it came. */
async function toAnswer(response: Response, body: unknown): Promise<Response> {
  const { status } = response
  if (status < 400 || status >= 500 || transportKnows.has(status) || typeof body !== 'string') return response
  const sent = v.safeParse(v.pipe(v.string(), v.parseJson(), Sent), body)
  const text = await response.text()
  const refusal = v.safeParse(v.pipe(v.string(), v.parseJson(), Refusal), text)
  if (!sent.success || !refusal.success) {
    return new Response(text, { status, statusText: response.statusText, headers: response.headers })
  }
  return Response.json({ jsonrpc: '2.0', id: sent.output.id, error: refusal.output.error })
}
