import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { EdgeApp } from '../../app.ts'
import type { EventSocket } from '../../events/event-socket.ts'

/** Clients have nothing to say; a control frame or a word of a library's own fits. */
const MESSAGE_BYTES_MAX = 1024

/** The part of Node's server that hands over requests for another protocol. */
interface UpgradingServer {
  on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown
}

/** Serves the app's event streams on a Node server. Returns how to end the sockets that are left. */
export function serveEventSockets(
  server: UpgradingServer,
  events: EdgeApp['events'],
  addressOf: (request: IncomingMessage) => string,
): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: () => false,
  })

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const decision = await events(toRequest(request), addressOf(request))
    if (decision instanceof Response) return refuse(socket, decision)
    if (socket.destroyed) return decision.abandon()
    const sayProtocol = (headers: string[]) => headers.push(`Sec-WebSocket-Protocol: ${decision.protocol}`)
    socket.once('close', decision.abandon)
    sockets.once('headers', sayProtocol)
    try {
      // A handshake that is wrong is answered within it, and never gets here.
      sockets.handleUpgrade(request, socket, head, (opened) => decision.start(toEventSocket(opened)))
    } finally {
      sockets.off('headers', sayProtocol)
    }
  }

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    upgrade(request, socket, head).catch(() => socket.destroy())
  })
  return () => {
    for (const client of sockets.clients) client.terminate()
    sockets.close()
  }
}

function toRequest({ url, headers: sent }: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(sent)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return new Request(new URL(url ?? '/', 'http://localhost'), { headers })
}

async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer())
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`)
  const length = `content-length: ${body.byteLength}`
  const head = [`HTTP/1.1 ${response.status} Refused`, ...headers, length, 'connection: close', '', ''].join('\r\n')
  // The server's sockets stay open on our side until the client closes its own, which one that means ill never does.
  socket.once('finish', () => socket.destroy())
  socket.write(head)
  socket.end(body)
}

function toEventSocket(socket: WebSocket): EventSocket {
  // What is wrong with a connection closes it.
  socket.on('error', () => undefined)
  return {
    send: (text) => {
      if (socket.readyState === socket.OPEN) socket.send(text)
    },
    close: (code, reason) => socket.close(code, reason),
    unsentBytes: () => socket.bufferedAmount,
    onClose: (listener) => void socket.once('close', () => listener()),
  }
}
