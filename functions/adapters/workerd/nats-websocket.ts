import { type NatsConnection, wsconnect } from '@nats-io/nats-core'
import { edgeConnection, type NatsServer } from '../nats/edge-connection.ts'

/**
 * Connects over a WebSocket (`ws://host:port`, `wss://host:port`) or rejects: the one kind of connection that networks which
 * only let HTTPS out pass, and that workerd has. The library keeps the kind of connection for a whole process, so none may
 * open both this one and one by TCP.
 */
export const connectNatsWebSocket = (server: NatsServer): Promise<NatsConnection> =>
  // What a cluster says of its members are addresses of its own network.
  wsconnect({ ...edgeConnection(server), ignoreClusterUpdates: true })
