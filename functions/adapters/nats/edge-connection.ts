import { EDGE_INBOX } from '#shared/protocol/subjects.ts'

/** Where NATS is, and who we are there. */
export interface NatsServer {
  /** Without the credentials. */
  readonly server: string
  readonly user: string
  readonly password: string
  /** A file with what the server's certificate must come from, as PEM. Left out: what this system trusts. */
  readonly authorityFile?: string
}

const CONNECT_TIMEOUT_MS = 5000
const RECONNECT_MS = 500

/** How the functions connect, over TCP and over a WebSocket: afterwards for ever, unless the credentials are refused. */
export const edgeConnection = ({ server, user, password }: NatsServer) => ({
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
