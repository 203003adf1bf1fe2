import { DurableObject } from 'cloudflare:workers'
import { SESSION_HEADER } from '../../mcp/answers.ts'
import type { McpCaller } from '../../mcp/caller.ts'
import type { McpEndpoint } from '../../mcp/endpoint.ts'
import type { JsonRpcMessage } from '../../mcp/message.ts'
import { IDLE_MS_MAX, isSameHolder, McpSessions } from '../../mcp/sessions.ts'
import { createToolsets, type Toolsets } from '../../mcp/toolset.ts'
import type { OpenWorkspace } from '../../ports/edge-ports.ts'
import type { SessionHolder, SessionSender } from '../../ports/session-host.ts'
import type { SubscriptionMemory } from '../../ports/subscription-memory.ts'
import { createConsoleLog } from './console-log.ts'
import { createDurableSql } from './durable-sql.ts'
import type { KeyedState, ObjectNamespace } from './runtime.ts'
import { createSessionSubscriptions } from './session-subscriptions.ts'
import {
  NO_SESSION_HERE,
  SESSION_URL,
  type SessionLedgerStub,
  type SessionMethods,
  type SessionPost,
} from './session-wire.ts'

/** Uses within it count as one: each costs two writes. */
const USE_MS = 60_000

/** Whose the session is; there from its first message until nothing is known of it any more. */
const HOLDER = 'holder'
/** The post with which it began, from which its server can be made again; gone when its client has ended it. */
const HELLO = 'hello'

const log = createConsoleLog()
// Made once: it reads every schema, and is the same for every session.
let toolsets: Toolsets | undefined

export interface SessionEnvironment {
  readonly SESSION_LEDGERS: ObjectNamespace<SessionLedgerStub>
}

/**
 * One session of the 2025 era. A client's answer to what it was asked comes as another request, and finds here the server
 * that waits for it. The object may be put away between two requests; what its client can do is then known again from its
 * first message, and what it subscribed to from a table. Its alarm ends it when it has not been used for half an hour and nobody listens to it, and forgets half an hour
 * later that its client has ended it.
 */
export abstract class SessionObject<Environment extends SessionEnvironment>
  extends DurableObject<Environment>
  implements SessionMethods
{
  readonly #state: KeyedState
  readonly #id: string
  readonly #sessions: McpSessions
  readonly #memory: SubscriptionMemory
  #endpoint: McpEndpoint | undefined
  /** That the server is there; undefined until somebody asks for it. */
  #ready: Promise<unknown> | undefined
  #usedAt = 0

  constructor(ctx: KeyedState, env: Environment) {
    super(ctx, env)
    this.#state = ctx
    this.#id = ctx.id.toString()
    this.#memory = createSessionSubscriptions(createDurableSql(ctx.storage))
    const noteEnd = () => {
      this.#noteEndOfStream().catch((error: unknown) => log.error('Cannot note the use of a session', error))
    }
    this.#sessions = new McpSessions({ now: () => Date.now() }, () => this.#id, noteEnd)
  }

  /** The endpoint of a workspace on these sessions: the same code as in a process that holds them by itself. */
  protected abstract createEndpoint(
    workspace: OpenWorkspace,
    sessions: McpSessions,
    memory: SubscriptionMemory,
  ): McpEndpoint

  async fetch(request: Request): Promise<Response> {
    const post = (await request.json()) as SessionPost
    const { storage } = this.#state
    const holder = await storage.get<SessionHolder>(HOLDER)
    if (holder === undefined) {
      return Object(post.message).method === 'initialize' ? this.#begin(post, request.signal) : notHere()
    }
    const hello = await storage.get<SessionPost>(HELLO)
    if (hello === undefined || !isSameHolder(holder, holderOf(post))) return notHere()
    await this.#use(holder)
    await this.#waken(hello)
    const answer = await this.#answer(post, request.signal)
    if (this.#sessions.hasEnded(this.#id, holder)) {
      await storage.delete(HELLO)
      await this.#ledgerOf(holder).leave(this.#id)
    }
    return answer ?? notHere()
  }

  async hasEnded(holder: SessionHolder): Promise<boolean> {
    const { storage } = this.#state
    const own = await storage.get<SessionHolder>(HOLDER)
    if (own === undefined || !isSameHolder(own, holder)) return false
    return (await storage.get(HELLO)) === undefined
  }

  async end(): Promise<void> {
    await this.#sessions.close()
    await this.#state.storage.deleteAll()
  }

  async alarm(): Promise<void> {
    const holder = await this.#state.storage.get<SessionHolder>(HOLDER)
    if (holder !== undefined && this.#sessions.isListening(this.#id)) return this.#noteUse(holder)
    await this.end()
    if (holder !== undefined) await this.#ledgerOf(holder).leave(this.#id)
  }

  async #begin(post: SessionPost, signal: AbortSignal): Promise<Response> {
    const holder = holderOf(post)
    await this.#state.storage.put(HOLDER, holder)
    // Before the greeting, which may be too large to be kept: what is left then goes with the alarm.
    await this.#use(holder)
    await this.#state.storage.put(HELLO, post)
    this.#ready = Promise.resolve()
    const answer = (await this.#answer(post, signal)) ?? notHere()
    // Words that are no greeting begin nothing.
    if (!answer.ok) await this.alarm()
    return answer
  }

  /** In the session, as a process that holds it answers. */
  #answer({ workspace, sender, message, method, headers }: SessionPost, signal?: AbortSignal) {
    this.#endpoint ??= this.createEndpoint(workspace, this.#sessions, this.#memory)
    const init = { method, headers: headers.map(([name, value]): [string, string] => [name, value]) }
    const request = new Request(SESSION_URL, signal === undefined ? init : { ...init, signal })
    return this.#endpoint.inSession(request, message as JsonRpcMessage | null, toCaller(sender))
  }

  /** Makes the server again where the object has been put away: says to it what its client said first, and that it began. */
  async #waken(hello: SessionPost): Promise<void> {
    this.#ready ??= this.#greet(hello)
    try {
      await this.#ready
    } catch (error) {
      this.#ready = undefined
      throw error
    }
  }

  async #greet(hello: SessionPost): Promise<void> {
    await (await this.#answer(hello))?.text()
    const headers = [...hello.headers, [SESSION_HEADER, this.#id] as const]
    await this.#answer({ ...hello, headers, message: { jsonrpc: '2.0', method: 'notifications/initialized' } })
  }

  async #use(holder: SessionHolder): Promise<void> {
    if (Date.now() - this.#usedAt >= USE_MS) await this.#noteUse(holder)
  }

  /** What listened to it until now has used it until now. */
  async #noteEndOfStream(): Promise<void> {
    const holder = await this.#state.storage.get<SessionHolder>(HOLDER)
    if (holder !== undefined) await this.#use(holder)
  }

  async #noteUse(holder: SessionHolder): Promise<void> {
    const now = Date.now()
    this.#usedAt = now
    await this.#state.storage.setAlarm(now + IDLE_MS_MAX + USE_MS)
    await this.#ledgerOf(holder)
      .use(this.#id)
      .catch((error: unknown) => log.error('Cannot count a session', error))
  }

  #ledgerOf({ workspace, subject }: SessionHolder): SessionLedgerStub {
    const { SESSION_LEDGERS } = this.env
    return SESSION_LEDGERS.get(SESSION_LEDGERS.idFromName(JSON.stringify([workspace, subject])))
  }
}

const notHere = (): Response => new Response(null, { status: NO_SESSION_HERE })

const holderOf = ({ workspace, sender: { caller } }: SessionPost): SessionHolder => ({
  subject: caller.subject,
  workspace,
})

function toCaller({ tools, ...sender }: SessionSender): McpCaller {
  toolsets ??= createToolsets()
  // Streams are ended by the edge, which has the token.
  return { resourceMetadata: undefined, isStillGood: async () => true, ...sender, toolset: toolsets.select(tools) }
}
