import { AppError } from '#shared/errors.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import { openWorkspace } from '../auth/open-workspace.ts'
import { isStillAdmitted } from '../auth/still-admitted.ts'
import type { Principal } from '../ports/authenticator.ts'
import type { AppPorts, OpenWorkspace } from '../ports/edge-ports.ts'
import { createCoalescer } from './coalescer.ts'
import type { EventSocket } from './event-socket.ts'
import { EVENTS_PROTOCOL, parseProtocols } from './offered-protocols.ts'
import { createOpenPlaces } from './open-places.ts'

/** Of one person in one process: as many as of subscriptions. */
const STREAMS_MAX = 32
/** Of events that say the same, a client gets one in this time. */
const INTERVAL_MS = 100
/** Proxies cut what is silent for longer. */
const PING_MS = 10_000
/** Within it, what was revoked ends. */
const LOOK_MS = 5000
/** What a client may leave unread: some thousand events. */
const UNSENT_BYTES_MAX = 256 * 1024

/** Whatever happened before this line is for the client to read: the first, and each that follows what may have been missed. */
const READY = { v: WIRE_VERSION, type: 'ready' }

// Codes of RFC 6455.
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const TRY_AGAIN_LATER = 1013

/** A stream that was allowed, and waits for its socket. One that gets none keeps its place: `abandon` gives it back. */
export interface AdmittedStream {
  /** What the answer to the handshake must name. */
  readonly protocol: string
  start(socket: EventSocket): void
  abandon(): void
}

export interface EventStreams {
  /**
   * Decides on a request for a WebSocket whose Host and Origin have been looked at. Rejects with AppError: `invalid_input` for one
   * that is no such request, `unauthenticated`, `forbidden`, `rate_limited`.
   */
  admit(request: Request, address: string): Promise<AdmittedStream>
  /** Ends all of them. */
  close(): void
}

/** Tells programs that are no MCP clients what changes in a workspace, a JSON line in each message. */
export function createEventStreams(
  { authenticator, bus, workspace: home, log }: Pick<AppPorts, 'authenticator' | 'bus' | 'workspace' | 'log'>,
  authenticate: (request: Request, address: string) => Promise<Principal>,
): EventStreams {
  const places = createOpenPlaces(STREAMS_MAX)
  const open = new Set<EventSocket>()

  function stream(socket: EventSocket, workspace: OpenWorkspace, isStillGood: () => Promise<boolean>): void {
    let stop: (() => void) | undefined
    let ended = false
    const send = (line: object): void => {
      if (ended) return
      if (socket.unsentBytes() > UNSENT_BYTES_MAX) socket.close(TRY_AGAIN_LATER, 'Read too slowly')
      else socket.send(`${JSON.stringify(line)}\n`)
    }
    const coalescer = createCoalescer<WorkspaceEvent>(INTERVAL_MS, keyOf, send)
    const pings = setInterval(() => send({ v: WIRE_VERSION, type: 'ping' }), PING_MS)
    const looks = setInterval(() => {
      void isStillGood().then((isGood) => {
        if (!isGood) socket.close(POLICY_VIOLATION, 'The token is no longer good')
      })
    }, LOOK_MS)
    open.add(socket)
    socket.onClose(() => {
      ended = true
      open.delete(socket)
      clearInterval(pings)
      clearInterval(looks)
      coalescer.stop()
      stop?.()
    })
    bus
      .watchWorkspace(workspace, (event) => (event === null ? send(READY) : coalescer.push(event)))
      .then((stopWatching) => {
        stop = stopWatching
        if (ended) return stop()
        send(READY)
      })
      .catch((error: unknown) => {
        log.error('Cannot hear events', error)
        socket.close(TRY_AGAIN_LATER, 'No events now')
      })
  }

  return {
    async admit(request, address) {
      const { knowsEvents, token } = parseProtocols(request.headers.get('sec-websocket-protocol'))
      if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket' || !knowsEvents) {
        throw new AppError(
          'invalid_input',
          `Cannot answer: /events is a WebSocket of the protocol ${EVENTS_PROTOCOL}`,
          {
            hint: `Offer the protocols "${EVENTS_PROTOCOL}" and "bearer.TOKEN"`,
          },
        )
      }
      const identified = token === null ? request : withToken(request, token)
      const principal = await authenticate(identified, address)
      if (!principal.scopes.includes('read')) throw new AppError('forbidden', 'Cannot answer: the token may not read')
      const leave = places.take(principal.subject)
      if (leave === null) {
        throw new AppError('rate_limited', `Cannot answer: ${STREAMS_MAX} event streams of yours are open`, {
          hint: 'Close one of them first',
        })
      }
      return {
        protocol: EVENTS_PROTOCOL,
        start(socket) {
          socket.onClose(leave)
          stream(socket, openWorkspace(principal, home), () => isStillAdmitted(authenticator, identified, principal))
        },
        abandon: leave,
      }
    },
    close() {
      for (const socket of [...open]) socket.close(GOING_AWAY, 'The server stops')
    },
  }
}

/** The same request as the gate reads it: its token where programs put it. */
function withToken({ url, headers }: Request, token: string): Request {
  const identified = new Headers(headers)
  identified.delete('sec-websocket-protocol')
  identified.set('authorization', `Bearer ${token}`)
  return new Request(url, { headers: identified })
}

/** Of a job's progress only the newest counts; everything else is said whole. */
const keyOf = (event: WorkspaceEvent): string =>
  event.type === 'job_progressed' ? `${event.type} ${event.job_id}` : JSON.stringify(event)
