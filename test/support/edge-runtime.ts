import { inject } from 'vitest'
import { createMiniflareEdge } from '#scripts/miniflare-edge.ts'
import type { EdgeRuntime } from '#scripts/stack.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the edge was built for workerd; empty where the tests run against the edge on Node. */
    readonly edgeBundle: string
    /** The same for the program by which the contracts reach the adapters of workerd. */
    readonly portsBundle: string
    /** The same for the edge with the fixtures of the protocol's official tests. */
    readonly conformanceBundle: string
  }
}

/** The runtime in which the tests of this project meet the edge. */
export const edgeRuntime = (): 'node' | 'workerd' => (inject('edgeBundle') === '' ? 'node' : 'workerd')

/** For `startStack`: the runtime of this project. */
export function edgeOptions(): { readonly edge?: EdgeRuntime } {
  return edgeRuntime() === 'node' ? {} : { edge: createMiniflareEdge(inject('edgeBundle')) }
}
