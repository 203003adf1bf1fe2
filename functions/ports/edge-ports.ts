import type { WorkspaceId } from '#shared/ids.ts'
import type { Accounts } from './accounts.ts'
import type { Assets } from './assets.ts'
import type { Authenticator } from './authenticator.ts'
import type { Clock } from './clock.ts'
import type { JobBus } from './job-bus.ts'
import type { Log } from './log.ts'
import type { ProcessInfo } from './process-info.ts'
import type { Registry } from './registry.ts'
import type { WorkerCalls } from './worker-calls.ts'

/** Who may use this server beside the machine's owner. */
export interface SignIn {
  readonly accounts: Accounts
  /** Where others reach it, without a path: `https://mill.example`. Null where only this machine does. */
  readonly publicOrigin: string | null
}

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
  /** Left out: only the owner's token is taken, and nobody can sign in. */
  readonly signIn?: SignIn
}
