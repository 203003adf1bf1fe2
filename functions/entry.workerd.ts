import packageJson from '../package.json' with { type: 'json' }
import { AccountsObject } from './adapters/workerd/accounts-object.ts'
import { type AssetBinding, createBoundAssets } from './adapters/workerd/bound-assets.ts'
import { createConsoleLog } from './adapters/workerd/console-log.ts'
import { serveEventSocket } from './adapters/workerd/event-sockets.ts'
import { type LinkEnvironment, LinkObject } from './adapters/workerd/link-object.ts'
import { createOAuthLibrary } from './adapters/workerd/oauth-library.ts'
import { createObjectAccounts } from './adapters/workerd/object-accounts.ts'
import { createObjectJobBus } from './adapters/workerd/object-job-bus.ts'
import { createObjectRegistry } from './adapters/workerd/object-registry.ts'
import { createObjectSessions } from './adapters/workerd/object-sessions.ts'
import { createObjectWorkerCalls } from './adapters/workerd/object-worker-calls.ts'
import { type RegistryEnvironment, RegistryObject } from './adapters/workerd/registry-object.ts'
import type { RequestContext } from './adapters/workerd/runtime.ts'
import { SessionLedger, type SessionLedgerEnvironment } from './adapters/workerd/session-ledger.ts'
import { type SessionEnvironment, SessionObject } from './adapters/workerd/session-object.ts'
import { createApp, type EdgeApp } from './app.ts'
import { createBearerTokenAuthenticator } from './auth/bearer-token.ts'
import { createGate } from './auth/gate.ts'
import { createMcpEndpoint, type McpEndpoint } from './mcp/endpoint.ts'
import type { McpExtension } from './mcp/extension.ts'
import type { McpSessions } from './mcp/sessions.ts'
import type { AppPorts, OpenWorkspace } from './ports/edge-ports.ts'
import type { SubscriptionMemory } from './ports/subscription-memory.ts'
import { parseWorkerdConfig } from './workerd-config.ts'

export { AccountsObject, LinkObject, RegistryObject, SessionLedger }

/** What wrangler.toml binds, and the secrets. */
export interface Environment
  extends LinkEnvironment,
    RegistryEnvironment,
    SessionEnvironment,
    SessionLedgerEnvironment {
  readonly ASSETS: AssetBinding
}

/** Written by the runtime over whatever a client sent: at Cloudflare no client can write it. */
const ADDRESS_HEADER = 'cf-connecting-ip'

/** What a call whose client has gone has left to do: to end its job and to say so. */
const FAREWELL_MS = 5000

const log = createConsoleLog()
const clock = { now: () => Date.now() }

/** The program, and the objects that run the same code for a session. The product has no extension. */
export function createEdge<Env extends Environment>(toExtension: (env: Env) => McpExtension | null) {
  // Made by the first request and kept: it holds no connection and waits for nothing, so every request may use it.
  let app: EdgeApp | undefined
  const handler = {
    async fetch(request: Request, env: Env, context: RequestContext): Promise<Response> {
      // Without this the runtime stops at once all that a client waited for when it goes away.
      request.signal.addEventListener('abort', () => {
        context.waitUntil(new Promise((resolve) => setTimeout(resolve, FAREWELL_MS)))
      })
      try {
        app ??= createApp(toPorts(env), toExtension(env))
      } catch (error) {
        // What is missing is named in the log, for the operator; callers need not know it.
        log.error('Cannot start', error)
        return new Response('Not configured: see the log\n', { status: 503, headers: { 'cache-control': 'no-store' } })
      }
      const address = request.headers.get(ADDRESS_HEADER) ?? undefined
      return request.headers.get('upgrade')?.toLowerCase() === 'websocket'
        ? serveEventSocket(app.events, request, address)
        : app.fetch(request, address)
    },
  }
  class HeldSession extends SessionObject<Env> {
    protected createEndpoint(workspace: OpenWorkspace, sessions: McpSessions, memory: SubscriptionMemory): McpEndpoint {
      const { sessions: _elsewhere, ...ports } = toPorts(this.env)
      return createMcpEndpoint({ ...ports, workspace }, sessions, toExtension(this.env), memory)
    }
  }
  return { handler, HeldSession }
}

const edge = createEdge(() => null)
export const HeldSession = edge.HeldSession
export default edge.handler

function toPorts(env: Environment): AppPorts {
  const { workspace, token, hostnames, pageOrigins, publicOrigin } = parseWorkerdConfig(env)
  const accounts = createObjectAccounts(env.ACCOUNTS)
  return {
    workspace,
    version: packageJson.version,
    hostnames,
    pageOrigins,
    authenticator: createGate({ ownerToken: token, accounts, addressHeader: ADDRESS_HEADER }),
    registry: createObjectRegistry(env.REGISTRY, workspace),
    workers: createObjectWorkerCalls(env.LINK),
    bus: createObjectJobBus(env.LINK),
    clock,
    log,
    // The runtime does not tell.
    process: { memoryBytes: () => 0 },
    assets: createBoundAssets(env.ASSETS),
    sessions: createObjectSessions(env.SESSIONS, clock),
    signIn: {
      accounts,
      publicOrigin,
      oauth: createOAuthLibrary({ fetchesDocuments: publicOrigin !== null }),
      // There is no other way in: nobody can run a command on the machine of this edge.
      administrator: createBearerTokenAuthenticator(token),
    },
  }
}
