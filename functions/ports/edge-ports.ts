import type { WorkspaceId } from '#shared/ids.ts'
import type { Accounts } from './accounts.ts'
import type { Assets } from './assets.ts'
import type { Authenticator } from './authenticator.ts'
import type { Clock } from './clock.ts'
import type { JobBus } from './job-bus.ts'
import type { Log } from './log.ts'
import type { OAuthLibrary } from './oauth-library.ts'
import type { ProcessInfo } from './process-info.ts'
import type { Registry } from './registry.ts'
import type { SessionHost } from './session-host.ts'
import type { WorkerCalls } from './worker-calls.ts'

/** Who may use this server beside the machine's owner. */
export interface SignIn {
  readonly accounts: Accounts
  /** Where others reach it, without a path: `https://mill.example`. Null where only this machine does. */
  readonly publicOrigin: string | null
  /** Left out: no OAuth, and so no hosted MCP clients. */
  readonly oauth?: OAuthLibrary
  /** Who may say over HTTP who else may use this server. Left out: nobody, as it is said on the edge's own machine. */
  readonly administrator?: Authenticator
}

/**
 * A workspace that somebody may act in. Only `openWorkspace` and `openForRepairs` make one, so that no query can be for a
 * workspace that came from a call's arguments: such a one does not compile.
 */
export type OpenWorkspace = WorkspaceId & { readonly [opened]: true }
declare const opened: unique symbol

/** Everything that the edge needs of the world. An entry file fills it in for its runtime. */
export interface AppPorts {
  /** Whose the machine's owner is, and what people get who do not say which. */
  readonly workspace: WorkspaceId
  /** Of this program. */
  readonly version: string
  /** Names under which browsers and clients may reach us: no ports; IPv6 in brackets. */
  readonly hostnames: readonly string[]
  /** Whose pages may call from a browser, beside our own: `https://app.example`. None where left out. */
  readonly pageOrigins?: readonly string[]
  readonly authenticator: Authenticator
  readonly registry: Registry
  readonly workers: WorkerCalls
  readonly bus: JobBus
  readonly clock: Clock
  readonly log: Log
  readonly process: ProcessInfo
  readonly assets: Assets
  /**
   * Left out: this process holds the sessions of the 2025 era itself. Where a request may not go on with what another one
   * began, as in workerd, it cannot.
   */
  readonly sessions?: SessionHost
  /** Left out: only the owner's token is taken, and nobody can sign in. */
  readonly signIn?: SignIn
}

/** The same for one workspace: what tools, jobs and resources are given, and all that they can reach. */
export interface EdgePorts extends Omit<AppPorts, 'workspace'> {
  readonly workspace: OpenWorkspace
}
