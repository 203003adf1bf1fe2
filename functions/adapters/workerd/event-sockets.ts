import type { EdgeApp } from '../../app.ts'
import type { EventSocket } from '../../events/event-socket.ts'
import type { ServerSocket } from './runtime.ts'

/** Answers a request for an event stream. The socket lives in the request, which goes on for as long as it is open. */
export async function serveEventSocket(
  events: EdgeApp['events'],
  request: Request,
  address?: string,
): Promise<Response> {
  const decision = await events(request, address)
  if (decision instanceof Response) return decision
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  decision.start(toEventSocket(server))
  // The runtime's own field of an answer.
  const init: ResponseInit & { webSocket: unknown } = {
    status: 101,
    headers: { 'sec-websocket-protocol': decision.protocol },
    webSocket: client,
  }
  return new Response(null, init)
}

function toEventSocket(socket: ServerSocket): EventSocket {
  let closed = false
  const listeners: (() => void)[] = []
  const end = (): void => {
    if (closed) return
    closed = true
    for (const listener of listeners) listener()
  }
  socket.addEventListener('close', end)
  socket.addEventListener('error', end)
  return {
    send(text) {
      if (!closed) socket.send(text)
    },
    close(code, reason) {
      if (!closed) socket.close(code, reason)
      end()
    },
    unsentBytes: () => 0,
    onClose: (listener) => void listeners.push(listener),
  }
}
