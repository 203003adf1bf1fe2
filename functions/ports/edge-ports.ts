import type { WorkspaceId } from '#shared/ids.ts'
import type { Assets } from './assets.ts'
import type { Authenticator } from './authenticator.ts'
import type { Clock } from './clock.ts'
import type { JobBus } from './job-bus.ts'
import type { Log } from './log.ts'
import type { ProcessInfo } from './process-info.ts'
import type { Registry } from './registry.ts'
import type { WorkerCalls } from './worker-calls.ts'

/** Everything that the edge needs of the world. An entry file fills it in for its runtime. */
export interface EdgePorts {
  readonly workspace: WorkspaceId
  /** Of this program. */
  readonly version: string
  /** Names under which browsers and clients may reach us: no ports; IPv6 in brackets. */
  readonly hostnames: readonly string[]
  readonly authenticator: Authenticator
  readonly registry: Registry
  readonly workers: WorkerCalls
  readonly bus: JobBus
  readonly clock: Clock
  readonly log: Log
  readonly process: ProcessInfo
  readonly assets: Assets
  /** Whether a request may go on with what another one began, as in Node. In workerd it may not. */
  readonly requestsShareState: boolean
}
