import { type NatsConnection, wsconnect } from '@nats-io/nats-core'
import { EDGE_INBOX } from '#shared/protocol/subjects.ts'

export interface NatsWebSocket {
  /** `ws://host:port` or `wss://host:port`, without the credentials. */
  readonly server: string
  readonly user: string
  readonly password: string
}

const CONNECT_TIMEOUT_MS = 5000
const RECONNECT_MS = 500

/**
 * Connects over a WebSocket or rejects: the one kind of connection that networks which only let HTTPS out pass, and that
 * workerd has. Afterwards it reconnects for ever, unless its credentials are refused. The library keeps the kind of
 * connection for a whole process, so none may open both this one and one by TCP.
 */
export function connectNatsWebSocket({ server, user, password }: NatsWebSocket): Promise<NatsConnection> {
  return wsconnect({
    servers: server,
    ...(user === '' ? {} : { user, pass: password }),
    name: 'millwright-edge',
    inboxPrefix: EDGE_INBOX,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    // What a cluster says of its members are addresses of its own network.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  })
}
