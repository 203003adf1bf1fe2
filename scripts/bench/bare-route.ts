import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { claimPort } from '../free-port.ts'
import { createNodeService } from '../node-service.ts'
import type { RunningService } from '../supervisor.ts'
import type { BenchStack } from './bench-stack.ts'
import type { KeepAliveClient } from './keep-alive-client.ts'
import type { Call } from './rounds.ts'

export interface BareRoute {
  /** A call to be timed. */
  timed(client: KeepAliveClient, tool: string, args: Record<string, unknown>): Call
  stop(): Promise<unknown>
}

const SUCCESS = Buffer.from('"ok":true')

/** Starts the bare route in front of a stack's worker. */
export async function startBareRoute(world: BenchStack, signal: AbortSignal): Promise<BareRoute> {
  const port = await claimPort(0)
  const service = createNodeService({
    name: 'bare route',
    file: fileURLToPath(new URL('./bare-route-process.ts', import.meta.url)),
    log: () => undefined,
    environment: () => ({
      NATS_URL: world.edgeNatsUrl(),
      MILLWRIGHT_WORKSPACE: world.stack.workspace,
      MILLWRIGHT_DATA: join(world.stack.dataFolder, 'edge'),
      MILLWRIGHT_PORT: String(port),
    }),
  })
  const running: RunningService = await service.start(signal)
  const url = new URL(`http://127.0.0.1:${port}/`)
  return {
    timed: bareRouteAt(url),
    stop: () => running.stop(),
  }
}

/** Calls of a bare route, in whatever runtime. */
export function bareRouteAt(url: URL): BareRoute['timed'] {
  return (client, tool, args) => {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: args },
    })
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    return async () => {
      const answer = await client.post({ url, headers, body })
      if (!answer.includes(SUCCESS)) throw new Error(`The bare route failed: ${answer.toString('utf8', 0, 500)}`)
    }
  }
}
