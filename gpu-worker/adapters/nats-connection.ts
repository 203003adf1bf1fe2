import { setTimeout } from 'node:timers/promises'
import { nkeyAuthenticator, wsconnect } from '@nats-io/nats-core'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { WebSocket } from 'ws'
import { AppError } from '#shared/errors.ts'
import type { MachineFile } from '#shared/protocol/signature.ts'
import { type MachineInboxes, machineInboxes, WORKER_INBOX } from '#shared/protocol/subjects.ts'

/** Where NATS is, and who we are there. */
export interface WorkerNats {
  /** `nats://user:password@host:port`; `tls://`, and over a WebSocket `ws://` and `wss://`. */
  readonly url: string
  /** What the server's certificate must come from, as PEM. Left out: what this system trusts. */
  readonly authority?: string
  /** An nkey in place of user and password, and the inboxes of its own that it comes with. */
  readonly machine?: { readonly seed: string; readonly inboxes: MachineInboxes }
}

/** As the machine was told when it was enrolled. Throws `invalid_input` where it was not told. */
export function enrolledNats({ nats, seed, name }: MachineFile): WorkerNats {
  if (nats === null) {
    throw new AppError('invalid_input', 'Cannot start the worker: NATS_URL: not set, and this machine was not enrolled')
  }
  const { url, authority } = nats
  return { url, ...(authority === null ? {} : { authority }), machine: { seed, inboxes: machineInboxes(name) } }
}

const portsByProtocol: Record<string, string> = { 'nats:': '4222', 'tls:': '4222', 'ws:': '80', 'wss:': '443' }

/**
 * Connects to NATS and stays connected: lost connections are taken up again for ever. Rejects with `unavailable` when
 * `signal` aborts, or at once where the server refuses the credentials (`unauthenticated`) or has another certificate
 * (`forbidden`), since no waiting mends that. All connections of a process must be of one kind, TCP or WebSocket.
 */
export async function connectWorker(nats: WorkerNats, name: string, signal: AbortSignal): Promise<NatsConnection> {
  const open = toOpener(nats, name)
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 5000)) {
    try {
      return await open()
    } catch (cause) {
      const text = describe(cause)
      if (/certificate|altname/i.test(text)) {
        throw new AppError('forbidden', `Cannot connect to NATS: its certificate is not trusted (${text})`, {
          cause,
          hint: 'NATS_CA names the file with the authority that made it; npm run nats -- --name adds a name to it',
        })
      }
      if (/authoriz|authentic/i.test(text)) {
        throw new AppError('unauthenticated', 'Cannot connect to NATS: the server refuses who we are', {
          cause,
          hint: 'Check NATS_URL, or enroll this machine again: it may have been revoked',
        })
      }
      if (signal.aborted) throw new AppError('unavailable', 'Cannot connect to NATS: stopped while waiting', { cause })
      await setTimeout(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** How the connection is made. Verifying the server's certificate is not to be switched off. */
function toOpener({ url, authority, machine }: WorkerNats, name: string): () => Promise<NatsConnection> {
  const { hostname, port, pathname, username, password, protocol } = new URL(url)
  const trusted = authority === undefined ? {} : { ca: authority }
  const options = {
    servers: `${protocol}//${hostname}:${port === '' ? portsByProtocol[protocol] : port}${pathname.replace(/\/$/, '')}`,
    name,
    inboxPrefix: machine?.inboxes.own ?? WORKER_INBOX,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    pingInterval: 20_000,
    ...(username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...(machine === undefined ? {} : { authenticator: nkeyAuthenticator(new TextEncoder().encode(machine.seed)) }),
  }
  if (protocol === 'ws:' || protocol === 'wss:') {
    const wsFactory = async (at: string) => ({
      // Node's own takes no authorities of ours. This one has all that the library uses of a socket.
      socket: new WebSocket(at, trusted) as unknown as globalThis.WebSocket,
      encrypted: protocol === 'wss:',
    })
    // What a cluster says of its members are addresses of its own network.
    return () => wsconnect({ ...options, ignoreClusterUpdates: true, wsFactory })
  }
  return () => connect({ ...options, ...(protocol === 'tls:' ? { tls: trusted } : {}) })
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return `${error.name} ${error.message}${cause === undefined ? '' : ` ${describe(cause)}`}`
}
