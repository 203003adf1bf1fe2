import { fileURLToPath } from 'node:url'
import { claimPort } from '../../free-port.ts'
import { createNodeService } from '../../node-service.ts'
import type { Endpoint } from '../tool-calls.ts'

export interface SdkServer {
  readonly endpoint: Endpoint
  stop(): Promise<unknown>
}

/** A bare server of the MCP SDK in a process of its own, with `read_file` for the files below `root`. */
export async function startSdkServer(root: string, signal: AbortSignal): Promise<SdkServer> {
  const port = await claimPort(0)
  const service = createNodeService({
    name: 'bare SDK server',
    file: fileURLToPath(new URL('./sdk-server-process.ts', import.meta.url)),
    args: [JSON.stringify({ root, port })],
    log: () => undefined,
    environment: () => ({}),
  })
  const running = await service.start(signal)
  return { endpoint: { url: `http://127.0.0.1:${port}/mcp`, token: 'none' }, stop: () => running.stop() }
}
