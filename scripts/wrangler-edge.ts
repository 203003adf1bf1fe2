import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { readOrCreateToken } from '#functions/adapters/node/token-file.ts'
import { createNodeService } from './node-service.ts'
import { writePrivateFile } from './private-files.ts'
import { projectFolder } from './setup/paths.mjs'
import type { EdgeRuntime } from './stack.ts'
import { wranglerConfig, wranglerEnvironment, wranglerProgram } from './wrangler.ts'

/** It builds before it starts. */
const READY_TIMEOUT_MS = 120_000

const Ready = v.pipe(v.string(), v.parseJson(), v.object({ event: v.literal('DEV_SERVER_READY') }))

/**
 * The functions in workerd, by wrangler's local mode: what would be deployed, with its objects' storage on this disk. The
 * secrets are in a file that only the owner can read, since arguments can be read by everyone on the machine.
 */
export const createWranglerEdge: EdgeRuntime = (settings) => {
  const { folder, workspace, host, port, log } = settings
  const secretsFile = join(folder, 'workerd.env')
  const service = createNodeService({
    name: 'functions',
    file: wranglerProgram,
    args: [
      'dev',
      ...['--config', wranglerConfig],
      ...['--ip', host],
      ...['--port', String(port)],
      ...['--inspector-port', '0'],
      ...['--persist-to', join(folder, 'workerd')],
      ...['--env-file', secretsFile],
      ...['--var', `MILLWRIGHT_WORKSPACE:${workspace}`],
      // For this machine only, wherever the one that is deployed is reached.
      ...['--var', 'MILLWRIGHT_PUBLIC_URL:'],
      '--show-interactive-dev-session=false',
    ],
    cwd: projectFolder,
    log,
    isReady: (message) => v.is(Ready, message),
    readyTimeoutMs: READY_TIMEOUT_MS,
    environment: () => ({
      ...wranglerEnvironment,
      WRANGLER_LOG_PATH: join(folder, 'wrangler-logs'),
      WRANGLER_REGISTRY_PATH: join(folder, 'wrangler-registry'),
    }),
  })
  return {
    ...service,
    async start(signal) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const token = readOrCreateToken(join(folder, 'token'))
      const secrets = {
        NATS_URL: settings.natsWebSocketUrl(),
        MILLWRIGHT_TOKEN: token,
        MILLWRIGHT_SIGNING_KEY: readOrCreateSigningKeys(join(folder, 'signing-key')).join(),
      }
      const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`)
      writePrivateFile(secretsFile, lines.join(''))
      const running = await service.start(signal)
      // Objects come up when they are asked. The one that answers the workers' questions shall be there from the start.
      await fetch(`http://${host}:${port}/healthz`).catch(() => undefined)
      return running
    },
  }
}
