import { inject } from 'vitest'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import { edgeRuntime } from './edge-runtime.ts'
import { type MiniflareServerOptions, startMiniflareServer } from './miniflare-server.ts'

export interface EdgeServerOptions extends MiniflareServerOptions {
  /** The same by TCP. */
  readonly natsUrl: string
}

/** The edge without a worker, in the runtime of the tests' project, on a free port. */
export async function startEdgeServer(options: EdgeServerOptions): Promise<EdgeServer> {
  const { workspace, folder, natsUrl, pageOrigins = '' } = options
  if (edgeRuntime() === 'node') {
    const environment = {
      NATS_URL: natsUrl,
      MILLWRIGHT_DATA: folder,
      MILLWRIGHT_WORKSPACE: workspace,
      MILLWRIGHT_PORT: '0',
      MILLWRIGHT_PAGE_ORIGINS: pageOrigins,
    }
    return serveEdge(parseConfig(environment), { info: () => undefined, error: () => undefined })
  }
  return startMiniflareServer(inject('edgeBundle'), options)
}
