import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { followStream } from '../http/followed-stream.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionHolder } from '../ports/session-host.ts'

/** A client of the older era that has said hello. Its server remembers what the client can do, and what it was asked. */
export interface McpSession {
  readonly id: string
  readonly transport: WebStandardStreamableHTTPServerTransport
}

interface HeldSession extends McpSession {
  readonly holder: SessionHolder
  readonly server: Server
  usedAt: number
  /** Whose client listens uses it for as long as they are open. */
  openStreams: number
}

export const isSameHolder = (one: SessionHolder, other: SessionHolder): boolean =>
  one.subject === other.subject && one.workspace === other.workspace

/** Sessions of one process, and of one holder in it. Beyond it the one that was used longest ago ends, a silent one first. */
const SESSIONS_MAX = 1000
export const SESSIONS_OF_HOLDER_MAX = 200
/** A client that comes back later says hello again: the protocol's answer to it is 404. */
export const IDLE_MS_MAX = 30 * 60_000
/** Ids of ended sessions that are still known as such. */
const ENDED_MAX = 1000

/** Bytes on a stream on which nothing is said: proxies cut silent ones, and some runtimes notice a lost client only so. */
export const STREAM_KEEP_ALIVE_MS = 10_000

/**
 * The sessions of the 2025 era that this process holds. Only what asks a client something needs one: its answer comes as
 * another request and must find the server that waits for it. Everything else is served without, by any process.
 */
export class McpSessions {
  readonly #clock: Clock
  /** In order of last use. */
  readonly #held = new Map<string, HeldSession>()
  /** Those that their client ended, oldest first, and whose they were. */
  readonly #ended = new Map<string, SessionHolder>()

  readonly #createId: () => string
  readonly #onStreamEnd: () => void

  /** `createId` gives ids that nobody can guess; `onStreamEnd` learns that a client of one no longer listens. */
  constructor(
    clock: Clock,
    createId: () => string = () => crypto.randomUUID(),
    onStreamEnd: () => void = () => undefined,
  ) {
    this.#clock = clock
    this.#createId = createId
    this.#onStreamEnd = onStreamEnd
  }

  /** A new one, ready for the client's `initialize`. */
  async open(holder: SessionHolder, server: Server): Promise<McpSession> {
    await this.#makeRoom(holder)
    const id = this.#createId()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.#endByClient(id, holder),
      keepAliveMs: STREAM_KEEP_ALIVE_MS,
    })
    await server.connect(transport)
    const session: HeldSession = { id, holder, server, transport, usedAt: this.#clock.now(), openStreams: 0 }
    this.#held.set(id, session)
    return session
  }

  /** Null where this process has none of this id, or it is somebody else's. */
  find(id: string | null, holder: SessionHolder): McpSession | null {
    const session = id === null ? undefined : this.#held.get(id)
    if (session === undefined || !isSameHolder(session.holder, holder)) return null
    if (this.#isIdle(session)) {
      this.#held.delete(session.id)
      void session.server.close()
      return null
    }
    this.#touch(session)
    return session
  }

  /** The same answer of a session, until `signal` aborts. While it is a stream that is open, the session is in use. */
  follow({ id }: McpSession, response: Response, signal: AbortSignal): Response {
    const session = this.#held.get(id)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (session === undefined || response.body === null || !isStream) return response
    session.openStreams++
    const end = (): void => {
      session.openStreams--
      if (this.#held.get(id) !== session) return
      this.#touch(session)
      this.#onStreamEnd()
    }
    return new Response(followStream(response.body, end, signal), response)
  }

  /** Whether a client of this session listens now. */
  isListening(id: string): boolean {
    return (this.#held.get(id)?.openStreams ?? 0) > 0
  }

  /** Whether its client ended it. What another process held, or was forgotten for its age, is not known here. */
  hasEnded(id: string, holder: SessionHolder): boolean {
    const ended = this.#ended.get(id)
    return ended !== undefined && isSameHolder(ended, holder)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((id) => this.#end(id)))
  }

  async #makeRoom(holder: SessionHolder): Promise<void> {
    const old = [...this.#held.values()].filter((session) => this.#isIdle(session))
    for (const { id } of old) await this.#end(id)
    const own = [...this.#held.values()].filter((session) => isSameHolder(session.holder, holder))
    if (own.length >= SESSIONS_OF_HOLDER_MAX) await this.#endFirst(own)
    if (this.#held.size >= SESSIONS_MAX) await this.#endFirst([...this.#held.values()])
  }

  /** Of sessions in order of their last use. */
  async #endFirst(sessions: readonly HeldSession[]): Promise<void> {
    const first = sessions.find(({ openStreams }) => openStreams === 0) ?? sessions[0]
    if (first !== undefined) await this.#end(first.id)
  }

  #isIdle({ openStreams, usedAt }: HeldSession): boolean {
    return openStreams === 0 && this.#clock.now() - usedAt > IDLE_MS_MAX
  }

  /** Makes it the one that was used last. */
  #touch(session: HeldSession): void {
    session.usedAt = this.#clock.now()
    this.#held.delete(session.id)
    this.#held.set(session.id, session)
  }

  async #endByClient(id: string, holder: SessionHolder): Promise<void> {
    this.#ended.set(id, holder)
    const [oldest] = this.#ended.keys()
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest)
    await this.#end(id)
  }

  async #end(id: string): Promise<void> {
    const session = this.#held.get(id)
    this.#held.delete(id)
    await session?.server.close()
  }
}
