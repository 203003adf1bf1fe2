import { connect, type NatsConnection } from '@nats-io/transport-node'
import { EDGE_INBOX } from '#shared/protocol/subjects.ts'

export interface NatsServer {
  readonly server: string
  readonly user: string
  readonly password: string
}

const CONNECT_TIMEOUT_MS = 5000
const RECONNECT_MS = 500

/** Connects over TCP or rejects. Afterwards it reconnects for ever, unless its credentials are refused. */
export function connectNats({ server, user, password }: NatsServer): Promise<NatsConnection> {
  return connect({
    servers: server,
    ...(user === '' ? {} : { user, pass: password }),
    name: 'millwright-edge',
    inboxPrefix: EDGE_INBOX,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    // Otherwise each request captures two stacks beforehand, in case it fails: a twentieth of the cost of a call.
    noAsyncTraces: true,
  })
}
