import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '#functions/config.ts'
import { serveEdge } from '#functions/entry.node.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { startMiniflareServer } from '#test/support/miniflare-server.ts'
import { createConformanceExtension } from './extension.ts'
import { createTasks } from './tasks.ts'

/** Longer than a test waits between two requests. */
const KEEP_ALIVE_MS = 60_000

/** An endpoint for the official tests. */
export interface ConformanceServer {
  /** Takes calls without a token: the tests have none to give. */
  readonly url: string
  close(): Promise<void>
}

/** With the fixtures, and what a worker needs to come. */
export interface FixtureServer extends ConformanceServer {
  readonly workspace: WorkspaceId
  readonly workerNatsUrl: string
}

/**
 * Starts the functions as they are, with the fixtures beside their catalogue, a real NATS server, and in front of them what
 * signs every call in. `bundle` is a folder that `buildConformanceBundle` has filled, for workerd; null for Node.
 */
export async function startConformanceServer(bundle: string | null): Promise<FixtureServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-conformance-'))
  const dataFolder = join(folder, 'nats')
  const nats = await startNatsServer({ binary: await findNatsServer(), dataFolder, webSocketPort: 0 })
  const workspace = toWorkspaceId(`conformance-${process.pid}`)
  await ensureStreams(nats.url('admin'), [workspace])
  const data = join(folder, 'data')
  const config = {
    NATS_URL: nats.url('edge'),
    MILLWRIGHT_DATA: data,
    MILLWRIGHT_WORKSPACE: workspace,
    MILLWRIGHT_PORT: '0',
  }
  const log = { info: () => undefined, error: () => undefined }
  const edge =
    bundle === null
      ? await serveEdge(parseConfig(config), log, createConformanceExtension(createTasks()))
      : await startMiniflareServer(bundle, { workspace, folder: data, natsWebSocketUrl: nats.webSocketUrl('edge') })
  const front = await signInTo(edge.url, edge.token)
  return {
    url: front.url,
    workspace,
    workerNatsUrl: nats.url('worker'),
    async close() {
      await front.close()
      await edge.close()
      await nats.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Stands in front of an endpoint and hands everything on as it comes, `Host` and `Origin` included, with the token. */
export async function signInTo(endpoint: string, token: string): Promise<ConformanceServer> {
  const { hostname, port } = new URL(endpoint)
  const front = createServer((incoming, outgoing) => {
    const { url = '/', method = 'GET' } = incoming
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` }
    // A connection of its own: one that is used again may have been closed just then, which the tests would take for an answer.
    const onward = httpRequest({ host: hostname, port, path: url, method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      // A stream on which nothing has been said is open all the same.
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.writableEnded || outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  front.keepAliveTimeout = KEEP_ALIVE_MS
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}/mcp`,
    async close() {
      front.closeAllConnections()
      await new Promise((resolve) => front.close(resolve))
    },
  }
}
