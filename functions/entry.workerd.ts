import packageJson from '../package.json' with { type: 'json' }
import { type AssetBinding, createBoundAssets } from './adapters/workerd/bound-assets.ts'
import { createConsoleLog } from './adapters/workerd/console-log.ts'
import { serveEventSocket } from './adapters/workerd/event-sockets.ts'
import { type LinkEnvironment, LinkObject } from './adapters/workerd/link-object.ts'
import { createObjectJobBus } from './adapters/workerd/object-job-bus.ts'
import { createObjectRegistry } from './adapters/workerd/object-registry.ts'
import { createObjectWorkerCalls } from './adapters/workerd/object-worker-calls.ts'
import { type RegistryEnvironment, RegistryObject } from './adapters/workerd/registry-object.ts'
import type { RequestContext } from './adapters/workerd/runtime.ts'
import { createApp, type EdgeApp } from './app.ts'
import { createBearerTokenAuthenticator } from './auth/bearer-token.ts'
import type { AppPorts } from './ports/edge-ports.ts'
import { parseWorkerdConfig } from './workerd-config.ts'

export { LinkObject, RegistryObject }

/** What wrangler.toml binds, and the secrets. */
interface Environment extends LinkEnvironment, RegistryEnvironment {
  readonly ASSETS: AssetBinding
}

/** What a call whose client has gone has left to do: to end its job and to say so. */
const FAREWELL_MS = 5000

const log = createConsoleLog()
// Made by the first request and kept: it holds no connection and waits for nothing, so every request may use it.
let app: EdgeApp | undefined

export default {
  async fetch(request: Request, env: Environment, context: RequestContext): Promise<Response> {
    // Without this the runtime stops at once all that a client waited for when it goes away.
    request.signal.addEventListener('abort', () => {
      context.waitUntil(new Promise((resolve) => setTimeout(resolve, FAREWELL_MS)))
    })
    try {
      app ??= createApp(toPorts(env))
    } catch (error) {
      // What is missing is named in the log, for the operator; callers need not know it.
      log.error('Cannot start', error)
      return new Response('Not configured: see the log\n', { status: 503, headers: { 'cache-control': 'no-store' } })
    }
    // Written by Cloudflare, which lets no client write it.
    const address = request.headers.get('cf-connecting-ip') ?? undefined
    return request.headers.get('upgrade')?.toLowerCase() === 'websocket'
      ? serveEventSocket(app.events, request, address)
      : app.fetch(request, address)
  },
}

function toPorts(env: Environment): AppPorts {
  const { workspace, token, hostnames } = parseWorkerdConfig(env)
  return {
    workspace,
    version: packageJson.version,
    hostnames,
    authenticator: createBearerTokenAuthenticator(token),
    registry: createObjectRegistry(env.REGISTRY, workspace),
    workers: createObjectWorkerCalls(env.LINK),
    bus: createObjectJobBus(env.LINK),
    clock: { now: () => Date.now() },
    log,
    // The runtime does not tell.
    process: { memoryBytes: () => 0 },
    assets: createBoundAssets(env.ASSETS),
    requestsShareState: false,
  }
}
