import { join } from 'node:path'
import { inject } from 'vitest'
import { readOrCreateToken } from '#functions/adapters/node/token-file.ts'
import { createNodeService } from '#scripts/node-service.ts'
import { makePrivateFolder } from '#scripts/private-files.ts'
import type { EdgeRuntime } from '#scripts/stack.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the edge was built for workerd; empty where the tests run against the edge on Node. */
    readonly edgeBundle: string
    /** The same for the program by which the contracts reach the adapters of workerd. */
    readonly portsBundle: string
  }
}

/** The runtime in which the tests of this project meet the edge. */
export const edgeRuntime: 'node' | 'workerd' = inject('edgeBundle') === '' ? 'node' : 'workerd'

/** For `startStack`: the runtime of this project. */
export const edgeOptions: { readonly edge?: EdgeRuntime } =
  edgeRuntime === 'node' ? {} : { edge: createMiniflareEdge(inject('edgeBundle')) }

/** The functions in Miniflare: workerd itself, without the tool that builds and reloads. */
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
        MILLWRIGHT_WORKSPACE: settings.workspace,
      }),
    })
  }
}
