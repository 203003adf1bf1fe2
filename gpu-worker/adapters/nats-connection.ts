import { setTimeout } from 'node:timers/promises'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import { WORKER_INBOX } from '#shared/protocol/subjects.ts'

/**
 * Connects to NATS and stays connected: lost connections are taken up again for ever. User and password come from the
 * URL (`nats://user:password@host:port`). Rejects with `unavailable` when `signal` aborts, or at once where the server
 * refuses the credentials, since no waiting mends that.
 */
export async function connectWorker(url: string, name: string, signal: AbortSignal): Promise<NatsConnection> {
  const { hostname, port, username, password, protocol } = new URL(url)
  const servers = `${protocol === 'tls:' ? 'tls' : 'nats'}://${hostname}:${port === '' ? '4222' : port}`
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 5000)) {
    try {
      return await connect({
        servers,
        name,
        inboxPrefix: WORKER_INBOX,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 500,
        pingInterval: 20_000,
        ...(username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      })
    } catch (cause) {
      const refused = cause instanceof Error && /auth/i.test(`${cause.name} ${cause.message}`)
      if (refused) {
        throw new AppError('unauthenticated', 'Cannot connect to NATS: the server refuses the user or password', {
          cause,
          hint: 'Check NATS_URL: nats://USER:PASSWORD@HOST:PORT',
        })
      }
      if (signal.aborted) throw new AppError('unavailable', 'Cannot connect to NATS: stopped while waiting', { cause })
      await setTimeout(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
