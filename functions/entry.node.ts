import { mkdirSync, readFileSync, realpathSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { createSqlAccounts } from './accounts/sql-accounts.ts'
import { createMachineTrust } from './adapters/ed25519-machine-trust.ts'
import { createSigner } from './adapters/ed25519-signer.ts'
import { createNatsJobBus } from './adapters/nats/nats-job-bus.ts'
import { createNatsLink } from './adapters/nats/nats-link.ts'
import { serveRegistry } from './adapters/nats/nats-registry-service.ts'
import { createNatsWorkerCalls } from './adapters/nats/nats-worker-calls.ts'
import { serveEventSockets } from './adapters/node/event-sockets.ts'
import { connectNats } from './adapters/node/nats-connect.ts'
import { loadOAuthLibrary } from './adapters/node/oauth-library.ts'
import { readOrCreateSigningKeys } from './adapters/node/signing-key-file.ts'
import { openSqlite } from './adapters/node/sqlite.ts'
import { createStderrLog } from './adapters/node/stderr-log.ts'
import { readOrCreateToken } from './adapters/node/token-file.ts'
import { readWebAssets } from './adapters/node/web-assets.ts'
import { createApp, type EdgeApp } from './app.ts'
import { createGate } from './auth/gate.ts'
import { type Config, parseConfig } from './config.ts'
import { loopbackHostnames } from './http/loopback.ts'
import { peerAddress } from './http/peer-address.ts'
import { createQuestionGate } from './jobs/question-gate.ts'
import { createRegistryService } from './jobs/registry-service.ts'
import { sweepJobs } from './jobs/sweep.ts'
import type { McpExtension } from './mcp/extension.ts'
import type { AppPorts } from './ports/edge-ports.ts'
import type { Log } from './ports/log.ts'
import type { RegistryStore } from './ports/registry.ts'
import { createSqlRegistry } from './registry/sql-registry.ts'

const KEEP_ALIVE_MS = 65_000
/** Connections that may wait to be taken while we are busy; beyond it the system lets them wait for seconds, or drops them. */
const BACKLOG = 4096
const SWEEP_INTERVAL_MS = 10_000
const PRUNE_INTERVAL_MS = 60 * 60_000
/** Longer than any short call usually takes; jobs go on without us. */
const DRAIN_MS = 5000

export interface EdgeServer {
  /** Without a path, e.g. `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
  readonly token: string
  /** Stops accepting, finishes calls under way for up to five seconds, then closes everything. Safe to repeat. */
  close(): Promise<void>
}

/**
 * Starts the edge on Node. Answers HTTP before NATS is reached. Rejects with AppError for a data folder, token or
 * database that cannot be used (`unavailable`, `forbidden`) and for a port that is taken (`unavailable`).
 */
export async function serveEdge(
  config: Config,
  log: Log = createStderrLog(),
  extension: McpExtension | null = null,
): Promise<EdgeServer> {
  mkdirSync(config.dataFolder, { recursive: true, mode: 0o700 })
  const token = readOrCreateToken(join(config.dataFolder, 'token'))
  const signingKeys = readOrCreateSigningKeys(join(config.dataFolder, 'signing-key'))
  const signer = await createSigner(signingKeys[0])
  const sqlite = openSqlite(join(config.dataFolder, 'registry.sqlite'))
  const link = createNatsLink(() => connectNats(config.nats), log)
  const clock = { now: () => Date.now() }
  const closeStores = async () => {
    await link.close()
    sqlite.close()
  }
  try {
    const registry = createSqlRegistry(sqlite, clock, log)
    const accounts = createSqlAccounts(sqlite, clock)
    const oauth = await loadOAuthLibrary()
    if (oauth === null) log.info('No OAuth: this Node is older than 22.15')
    const ports: AppPorts = {
      workspace: config.workspace,
      version: readVersion(),
      hostnames: [
        ...loopbackHostnames,
        ...(config.publicOrigin === null ? [] : [new URL(config.publicOrigin).hostname]),
      ],
      pageOrigins: config.pageOrigins,
      authenticator: createGate({ ownerToken: token, accounts }),
      registry,
      workers: createNatsWorkerCalls(link, signer),
      bus: createNatsJobBus(link, signer),
      clock,
      log,
      process: { memoryBytes: () => process.memoryUsage.rss() },
      assets: readWebAssets(fileURLToPath(new URL('../web/dist', import.meta.url))),
      signIn: { accounts, publicOrigin: config.publicOrigin, ...(oauth === null ? {} : { oauth }) },
    }
    const gate = createQuestionGate({ trust: createMachineTrust(signingKeys), accounts, clock, log })
    serveRegistry(link, { service: createRegistryService(ports), gate, signer, log })
    const app = createApp(ports, extension)
    const http = await listen(app, config)
    const stopTimers = startTimers({ ...ports, registry })

    let closing: Promise<void> | undefined
    return {
      url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${http.port}`,
      port: http.port,
      token,
      close() {
        closing ??= (async () => {
          await stopTimers()
          await http.close()
          await app.close()
          await closeStores()
        })()
        return closing
      },
    }
  } catch (error) {
    await closeStores()
    throw error
  }
}

async function listen({ fetch, events }: Pick<EdgeApp, 'fetch' | 'events'>, { host, port, behindProxy }: Config) {
  const addressOf = ({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string => {
    const forwarded = headers['x-forwarded-for']
    const list = Array.isArray(forwarded) ? forwarded.join(', ') : (forwarded ?? null)
    return peerAddress(socket.remoteAddress ?? 'unknown', list, behindProxy)
  }
  const server = createAdaptorServer({
    fetch: (request, { incoming }: HttpBindings | Http2Bindings) => {
      const peer = incoming.socket.remoteAddress ?? 'unknown'
      return fetch(request, peerAddress(peer, request.headers.get('x-forwarded-for'), behindProxy))
    },
    hostname: host,
  })
  const endSockets = serveEventSockets(server, events, addressOf)
  // Longer than clients keep an idle connection, so that none sends a request into one that is being closed.
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'another program uses it' : (cause.code ?? cause.message)
      reject(
        new AppError('unavailable', `Cannot listen on port ${port}: ${reason}`, {
          cause,
          hint: 'Stop the other program, or choose another port',
        }),
      )
    })
    server.listen({ port, host, backlog: BACKLOG }, () => resolve())
  })
  const address = server.address() as AddressInfo
  let underWay = 0
  let onIdle: (() => void) | undefined
  server.on('request', (_request: unknown, response: ServerResponse) => {
    underWay++
    response.once('close', () => {
      underWay--
      if (underWay === 0) onIdle?.()
    })
  })
  return {
    port: address.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      endSockets()
      // A client's connection that waits for its next request, or for its first, is nothing to wait for.
      const cut = () => 'closeAllConnections' in server && server.closeAllConnections()
      onIdle = cut
      if (underWay === 0) cut()
      const timer = setTimeout(cut, DRAIN_MS)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Runs the repairs from time to time, never two at once. Returns how to stop them. */
function startTimers(ports: AppPorts & { readonly registry: RegistryStore }): () => Promise<void> {
  let underWay: Promise<unknown> = Promise.resolve()
  const every = (intervalMs: number, work: () => Promise<unknown>) =>
    setInterval(() => {
      underWay = underWay.then(work).catch((error: unknown) => ports.log.error('A repair failed', error))
    }, intervalMs)
  const timers = [
    every(SWEEP_INTERVAL_MS, () => sweepJobs(ports)),
    every(PRUNE_INTERVAL_MS, () => ports.registry.pruneJobs()),
    every(PRUNE_INTERVAL_MS, async () => ports.signIn?.accounts.prune()),
  ]
  return async () => {
    for (const timer of timers) clearInterval(timer)
    await underWay
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return v.parse(v.pipe(v.string(), v.parseJson(), v.object({ version: v.string() })), text).version
}

async function main(): Promise<void> {
  const log = createStderrLog()
  const edge = await serveEdge(parseConfig(process.env), log)
  const stop = () => {
    edge.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('Cannot stop in order', error)
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  process.once('disconnect', stop)
  process.send?.({ type: 'ready', url: edge.url, port: edge.port })
  log.info('Ready', { url: `${edge.url}/mcp` })
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  main().catch((error: unknown) => {
    const text = error instanceof AppError ? [error.message, error.hint].filter(Boolean).join('\n') : String(error)
    process.stderr.write(`${text}\n`)
    process.exit(1)
  })
}
