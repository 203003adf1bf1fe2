import {
  createMcpHandler,
  type McpHttpHandler,
  type McpServerFactory,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
} from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'
import { createOpenPlaces } from '../events/open-places.ts'
import { guardStream } from '../http/guarded-stream.ts'
import { INVALID_PARAMS, jsonRpcError, TRANSPORT_ERROR } from '../http/json-rpc.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { SubscriptionMemory } from '../ports/subscription-memory.ts'
import type { McpCaller } from './caller.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { idOf } from './message-refusals.ts'
import { openSubscriptionFeed, SUBSCRIBED_MAX, type SubscriptionFeed } from './subscription-feed.ts'

/** Streams of one person that are open at once in one process: several windows of several assistants. */
const STREAMS_MAX = 32
/** What a reader may leave unread: a thousand notices. */
const UNREAD_BYTES_MAX = 256 * 1024
/** Proxies cut what is silent for longer; one runtime notices only by writing that a client has gone. */
const KEEP_ALIVE_MS = 10_000

/** What both eras offer those that can be told. */
export const subscribableResources = { listChanged: true, subscribe: true } as const

/** Of the older era; they need a session. */
export const subscribingMethods: readonly string[] = ['resources/subscribe', 'resources/unsubscribe']

type Listener = Pick<McpCaller, 'caller' | 'isStillGood'>

/** Tells clients of changes: in the newer era by a stream for each subscription, in the older by the stream of a session. */
export interface Subscriptions {
  /** Answers `subscriptions/listen`. */
  listen(request: Request, message: JsonRpcMessage, listener: Listener): Promise<Response>
  /**
   * Gives a session's server what tells its client, for as long as it is connected. What `memory` has it is subscribed to from
   * the start, and told of once.
   */
  serveSession(server: Server, memory: SubscriptionMemory | null): void
  /** A session's own stream with the bounds of every other; anything else as it is. */
  guardSession(response: Response, listener: Listener): Response
  /** Ends all streams of `listen`, each in order. */
  close(): Promise<void>
}

export function createSubscriptions(
  ports: EdgePorts,
  factory: McpServerFactory,
  onerror: (error: Error) => void,
): Subscriptions {
  const places = createOpenPlaces(STREAMS_MAX)
  const open = new Set<McpHttpHandler>()

  function guarded(response: Response, body: ReadableStream<Uint8Array>, listener: Listener, onEnd: () => void) {
    const { isStillGood } = listener
    const guard = { bytesMax: UNREAD_BYTES_MAX, isStillGood, onEnd, keepAliveMs: KEEP_ALIVE_MS }
    return new Response(guardStream(body, guard), response)
  }

  return {
    async listen(request, message, listener) {
      const wanted = wantedUris(message)
      if (wanted.length > SUBSCRIBED_MAX) {
        const text = `Invalid params: ${wanted.length} resources, limit ${SUBSCRIBED_MAX}`
        return jsonRpcError(400, INVALID_PARAMS, text, { id: idOf(message) })
      }
      const leave = places.take(listener.caller.subject)
      if (leave === null) {
        const text = `Cannot listen: ${STREAMS_MAX} subscriptions of yours are open`
        const data = { code: 'rate_limited' }
        return jsonRpcError(429, TRANSPORT_ERROR, text, { id: idOf(message), data })
      }
      const feed = await openSubscriptionFeed(ports)
      for (const uri of wanted) addIfOurs(feed, uri)
      const handler = createMcpHandler(factory, { onerror, bus: feed, keepAliveMs: 0 })
      const end = () => {
        open.delete(handler)
        feed.close()
        leave()
      }
      open.add(handler)
      const response = await handler.fetch(request, { parsedBody: message })
      if (response.body !== null && isStream(response)) return guarded(response, response.body, listener, end)
      end()
      return response
    },

    serveSession(server, memory) {
      let opened: Promise<SubscriptionFeed> | undefined
      let closed = false
      const feedOf = (): Promise<SubscriptionFeed> => {
        opened ??= openSubscriptionFeed(ports).then((feed) => {
          if (closed) feed.close()
          feed.subscribe((event) => tell(server, event, onerror))
          const known = memory?.list() ?? []
          for (const uri of known) addIfOurs(feed, uri)
          if (known.length > 0) feed.tellAll()
          return feed
        })
        return opened
      }
      server.oninitialized = () => void feedOf().catch(onerror)
      server.onclose = () => {
        closed = true
        void opened?.then((feed) => feed.close()).catch(onerror)
      }
      server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
        const feed = await feedOf()
        if (!addIfOurs(feed, uri)) {
          throw new ProtocolError(
            ProtocolErrorCode.InvalidParams,
            `Cannot subscribe: no resource has this address, or there are ${SUBSCRIBED_MAX} already`,
            { uri },
          )
        }
        memory?.add(uri)
        return {}
      })
      server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
        if (!isOurs(uri)) return {}
        const feed = await feedOf()
        feed.remove(uri)
        memory?.remove(uri)
        return {}
      })
    },

    guardSession: (response, listener) =>
      response.body !== null && isStream(response)
        ? guarded(response, response.body, listener, () => undefined)
        : response,

    close: async () => {
      await Promise.all([...open].map((handler) => handler.close()))
    },
  }
}

const isStream = ({ status, headers }: Response): boolean =>
  status === 200 && headers.get('content-type')?.startsWith('text/event-stream') === true

/** The addresses that a message names. What is wrong with the message is for the SDK to say. */
function wantedUris(message: JsonRpcMessage): readonly string[] {
  const { notifications } = paramsOf(message)
  const wanted: unknown = Object(notifications).resourceSubscriptions
  return Array.isArray(wanted) ? wanted.filter((uri) => typeof uri === 'string') : []
}

/** What is no address of ours never changes. */
function addIfOurs(feed: SubscriptionFeed, uri: string): boolean {
  try {
    return feed.add(uri)
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

const isOurs = (uri: string): boolean => uri.startsWith('millwright://')

/** A session whose client has opened no stream drops what it is told. */
function tell(
  server: Server,
  event: Parameters<SubscriptionFeed['publish']>[0],
  onerror: (error: Error) => void,
): void {
  if (event.kind === 'resource_updated') server.sendResourceUpdated({ uri: event.uri }).catch(onerror)
  if (event.kind === 'resources_list_changed') server.sendResourceListChanged().catch(onerror)
}
