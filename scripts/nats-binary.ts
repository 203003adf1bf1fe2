import { ensureNatsServer } from './setup/nats-server.mjs'
import { toolsFolder } from './setup/paths.mjs'

/**
 * The nats-server that the set-up found or brought. Downloads nothing: rejects with the lines to follow where there is
 * none (`npm run setup` brings one).
 */
export function findNatsServer(): Promise<string> {
  return ensureNatsServer(toolsFolder, { lock: (work) => work(), sources: [] })
}
