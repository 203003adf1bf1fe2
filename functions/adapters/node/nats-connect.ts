import { readFileSync } from 'node:fs'
import { type NatsConnection, wsconnect } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { WebSocket } from 'ws'
import { edgeConnection, type NatsServer } from '../nats/edge-connection.ts'

/**
 * Connects by TCP (`nats://`, with TLS `tls://`) or, for networks that let only HTTPS out, over a WebSocket (`ws://`, `wss://`);
 * or rejects. A server's certificate is always verified. The library keeps the kind of connection for a whole process, so
 * all of one process must be of one kind.
 */
export async function connectNats(server: NatsServer): Promise<NatsConnection> {
  const { protocol } = new URL(server.server)
  const trusted = server.authorityFile === undefined ? {} : { ca: readFileSync(server.authorityFile, 'utf8') }
  if (protocol === 'ws:' || protocol === 'wss:') {
    return wsconnect({
      ...edgeConnection(server),
      // What a cluster says of its members are addresses of its own network.
      ignoreClusterUpdates: true,
      // Node's own takes no authorities of ours. This one has all that the library uses of a socket.
      wsFactory: async (url: string) => ({
        socket: new WebSocket(url, trusted) as unknown as globalThis.WebSocket,
        encrypted: protocol === 'wss:',
      }),
    })
  }
  return connect({ ...edgeConnection(server), ...(protocol === 'tls:' ? { tls: trusted } : {}) })
}
