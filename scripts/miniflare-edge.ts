import { join } from 'node:path'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { readOrCreateToken } from '#functions/adapters/node/token-file.ts'
import { createNodeService } from './node-service.ts'
import { makePrivateFolder } from './private-files.ts'
import type { EdgeRuntime } from './stack.ts'

/**
 * The functions in Miniflare: workerd itself, without the tool that builds and reloads. `bundle` is a folder that
 * `buildWorkerdBundle` has filled.
 */
export function createMiniflareEdge(bundle: string): EdgeRuntime {
  return (settings) => {
    makePrivateFolder(settings.folder)
    return createNodeService({
      name: 'functions',
      file: join(import.meta.dirname, 'miniflare-edge-process.ts'),
      log: settings.log,
      environment: () => ({
        EDGE_BUNDLE: bundle,
        EDGE_STORAGE: join(settings.folder, 'workerd'),
        EDGE_HOST: settings.host,
        EDGE_PORT: String(settings.port),
        NATS_URL: settings.natsWebSocketUrl(),
        MILLWRIGHT_TOKEN: readOrCreateToken(join(settings.folder, 'token')),
        MILLWRIGHT_SIGNING_KEY: readOrCreateSigningKeys(join(settings.folder, 'signing-key')).join(),
        MILLWRIGHT_WORKSPACE: settings.workspace,
      }),
    })
  }
}
