import type { NatsConnection } from '@nats-io/nats-core'
import { AppError } from '#shared/errors.ts'
import type { Log } from '../../ports/log.ts'

/** A connection that may not be there yet, or not now. */
export interface NatsLink {
  /** The connection, connected now. Throws `unavailable` at once otherwise: nothing is queued for later. */
  connection(): NatsConnection
  /** Calls `listener` for the connection there is and for each new one. Reconnecting keeps a connection's subscriptions. */
  onConnection(listener: (connection: NatsConnection) => void): void
  /**
   * Calls `listener` each time that there is a connection after there was none: the first, a new one, or one that is back.
   * What others sent meanwhile is lost; by now what `onConnection` subscribes to is heard.
   */
  onReturn(listener: () => void): void
  /** Sends what is under way and closes. */
  close(): Promise<void>
}

const RETRY_MS = 500

/**
 * Keeps a connection, however it is opened: by TCP on Node, by WebSocket elsewhere. `open` fails fast; this tries again
 * until it is closed. What it opens reconnects by itself; one that gives up is opened anew.
 */
export function createNatsLink(open: () => Promise<NatsConnection>, log: Log): NatsLink {
  const listeners: ((connection: NatsConnection) => void)[] = []
  const returnListeners: (() => void)[] = []
  const closing = Promise.withResolvers<null>()
  let closed = false
  let current: NatsConnection | null = null
  let isUp = false

  async function keep(): Promise<void> {
    let complained = false
    while (!closed) {
      const connection = await open().catch((error: unknown) => {
        if (!complained) log.error('Cannot reach NATS yet; trying again', error)
        complained = true
        return null
      })
      if (connection === null) {
        await Promise.race([closing.promise, sleep(RETRY_MS)])
        continue
      }
      if (closed) return connection.close()
      complained = false
      current = connection
      isUp = true
      log.info('Connected to NATS')
      void watch(connection)
      for (const listener of listeners) listener(connection)
      tellReturn(connection)
      const reason = await connection.closed()
      isUp = false
      current = null
      if (!closed) log.error('Lost NATS; connecting anew', reason ?? new Error('closed'))
    }
  }

  async function watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') isUp = false
      if (status.type === 'reconnect') {
        isUp = true
        tellReturn(connection)
      }
      if (status.type === 'error') log.error('NATS reports an error', status.error)
    }
  }

  /** The server answers when it has all subscriptions, which it was sent before. */
  function tellReturn(connection: NatsConnection): void {
    const tell = () => {
      for (const listener of returnListeners) listener()
    }
    // One that is lost again meanwhile returns again.
    connection.flush().then(tell, () => undefined)
  }

  const kept = keep()
  return {
    connection() {
      if (current === null || !isUp) {
        throw new AppError('unavailable', 'Cannot reach the message bus: not connected', {
          hint: 'Try again in a moment',
        })
      }
      return current
    },
    onConnection(listener) {
      listeners.push(listener)
      if (current !== null) listener(current)
    },
    onReturn: (listener) => void returnListeners.push(listener),
    async close() {
      closed = true
      closing.resolve(null)
      // Draining waits for the server's answer, which does not come while disconnected.
      if (isUp) await current?.drain().catch(() => undefined)
      else await current?.close()
      await kept
    },
  }
}

const sleep = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(() => resolve(null), ms))
