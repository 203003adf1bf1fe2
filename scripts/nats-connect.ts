import { connect, type NatsConnection } from '@nats-io/transport-node'

export interface NatsConnectOptions {
  readonly name: string
  readonly inboxPrefix: string
  readonly timeoutMs?: number
}

/** One attempt to connect to `nats://user:password@host:port`. Rejects where there is no server or it refuses. */
export function connectNats(url: string, options: NatsConnectOptions): Promise<NatsConnection> {
  const { host, username, password } = new URL(url)
  return connect({
    servers: host,
    user: decodeURIComponent(username),
    pass: decodeURIComponent(password),
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    timeout: options.timeoutMs ?? 5000,
    reconnect: false,
  })
}
