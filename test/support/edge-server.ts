import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { inject } from 'vitest'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { readOrCreateToken } from '#functions/adapters/node/token-file.ts'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import { makePrivateFolder } from '#scripts/private-files.ts'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { edgeRuntime } from './edge-runtime.ts'
import { silenceWorkerd } from './silence-workerd.ts'

export interface EdgeServerOptions {
  readonly workspace: WorkspaceId
  /** Its own. */
  readonly folder: string
  /** With the edge's name and password, by TCP and by a WebSocket. */
  readonly natsUrl: string
  readonly natsWebSocketUrl: string
}

/** The edge without a worker, in the runtime of the tests' project, on a free port. */
export async function startEdgeServer(options: EdgeServerOptions): Promise<EdgeServer> {
  const { workspace, folder, natsUrl, natsWebSocketUrl } = options
  if (edgeRuntime() === 'node') {
    const environment = {
      NATS_URL: natsUrl,
      MILLWRIGHT_DATA: folder,
      MILLWRIGHT_WORKSPACE: workspace,
      MILLWRIGHT_PORT: '0',
    }
    return serveEdge(parseConfig(environment), { info: () => undefined, error: () => undefined })
  }
  makePrivateFolder(folder)
  const token = readOrCreateToken(join(folder, 'token'))
  const bundle = readWorkerdBundle(inject('edgeBundle'))
  const miniflare = new Miniflare({
    ...bundle,
    bindings: {
      ...bundle.bindings,
      NATS_URL: natsWebSocketUrl,
      MILLWRIGHT_TOKEN: token,
      MILLWRIGHT_SIGNING_KEY: readOrCreateSigningKeys(join(folder, 'signing-key'))[0],
      MILLWRIGHT_WORKSPACE: workspace,
    },
    durableObjectsPersist: join(folder, 'workerd'),
    cf: false,
    handleRuntimeStdio: silenceWorkerd,
  })
  const { origin, port } = await miniflare.ready
  return { url: origin, port: Number(port), token, close: () => miniflare.dispose() }
}
