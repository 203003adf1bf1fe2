import { readFileSync } from 'node:fs'
import { connect, type NatsConnection } from '@nats-io/transport-node'

export interface NatsConnectOptions {
  readonly name: string
  readonly inboxPrefix: string
  readonly timeoutMs?: number
  /** What the server's certificate must come from; the system's authorities where left out. */
  readonly authorityFile?: string | undefined
}

/** One attempt to connect to `nats://user:password@host:port`, or to `tls://…`. Rejects where there is no server or it refuses. */
export function connectNats(url: string, options: NatsConnectOptions): Promise<NatsConnection> {
  const { host, username, password, protocol } = new URL(url)
  return connect({
    servers: host,
    user: decodeURIComponent(username),
    pass: decodeURIComponent(password),
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    timeout: options.timeoutMs ?? 5000,
    reconnect: false,
    ...(protocol === 'tls:'
      ? { tls: options.authorityFile === undefined ? {} : { ca: readFileSync(options.authorityFile, 'utf8') } }
      : {}),
  })
}
