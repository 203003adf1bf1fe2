import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { readOrCreateToken } from '#functions/adapters/node/token-file.ts'
import type { EdgeServer } from '#functions/entry.node.ts'
import { makePrivateFolder } from '#scripts/private-files.ts'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { silenceWorkerd } from './silence-workerd.ts'

export interface MiniflareServerOptions {
  readonly workspace: WorkspaceId
  /** Its own. */
  readonly folder: string
  /** With the edge's name and password. */
  readonly natsWebSocketUrl: string
  /** Whose pages may call from a browser; none where left out. */
  readonly pageOrigins?: string
}

/** A built edge in workerd, on a free port. */
export async function startMiniflareServer(
  bundleFolder: string,
  { workspace, folder, natsWebSocketUrl, pageOrigins = '' }: MiniflareServerOptions,
): Promise<EdgeServer> {
  makePrivateFolder(folder)
  const token = readOrCreateToken(join(folder, 'token'))
  const bundle = readWorkerdBundle(bundleFolder)
  const miniflare = new Miniflare({
    ...bundle,
    bindings: {
      ...bundle.bindings,
      NATS_URL: natsWebSocketUrl,
      MILLWRIGHT_TOKEN: token,
      MILLWRIGHT_SIGNING_KEY: readOrCreateSigningKeys(join(folder, 'signing-key')).join(),
      MILLWRIGHT_WORKSPACE: workspace,
      MILLWRIGHT_PAGE_ORIGINS: pageOrigins,
    },
    durableObjectsPersist: join(folder, 'workerd'),
    cf: false,
    handleRuntimeStdio: silenceWorkerd,
  })
  const { origin, port } = await miniflare.ready
  return { url: origin, port: Number(port), token, close: () => miniflare.dispose() }
}
