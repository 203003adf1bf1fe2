import { isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { toWorkspaceId } from '#shared/ids.ts'
import { listenForInterrupts } from './interrupts.ts'
import { findNatsServer } from './nats-binary.ts'
import { type NatsServer, startNatsServer } from './nats-server.ts'
import { ensureStreams } from './nats-streams.ts'
import { makePrivateFolder } from './private-files.ts'
import { acquireStackLock } from './stack-lock.ts'
import { createSupervisor } from './supervisor.ts'

// npm run nats: only the NATS server, for functions and worker on two machines.

const usage = `Usage: npm run nats -- [--listen HOST:PORT] [--data DIR] [--workspace NAME]

  --listen HOST:PORT   127.0.0.1:4222 where left out
  --data DIR           where state and passwords are kept
  --workspace NAME     the repository's folder name; may be given more than once`

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main()

async function main(): Promise<number> {
  let options: ReturnType<typeof parseOptions>
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    log(`Cannot start: ${messageOf(error)}\n\n${usage}`)
    return 2
  }
  if (options.help) {
    console.log(usage)
    return 0
  }
  const interrupted = listenForInterrupts(log)
  try {
    makePrivateFolder(options.dataFolder)
    const lock = acquireStackLock(options.dataFolder)
    try {
      await serve(options, interrupted)
    } finally {
      lock.release()
    }
    return 0
  } catch (error) {
    if (interrupted.aborted) return 0
    log(messageOf(error))
    return 1
  }
}

async function serve(options: ReturnType<typeof parseOptions>, interrupted: AbortSignal): Promise<void> {
  const binary = await findNatsServer()
  let server: NatsServer | undefined
  const supervisor = createSupervisor({
    log,
    services: [
      {
        name: 'nats',
        start: async (signal) => {
          const { dataFolder, host, port } = options
          server = await startNatsServer({ binary, dataFolder: join(dataFolder, 'nats'), host, port, log, signal })
          return server
        },
      },
    ],
  })
  const stop = () => void supervisor.stop()
  interrupted.addEventListener('abort', stop)
  try {
    await supervisor.start()
    if (server === undefined) return
    await ensureStreams(server.url('admin'), options.workspaces)
    console.log(describeServer(server, options.workspaces))
    if (!interrupted.aborted) {
      await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }))
    }
  } finally {
    await supervisor.stop()
  }
}

function parseOptions(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: false,
    options: {
      listen: { type: 'string', default: '127.0.0.1:4222' },
      data: { type: 'string' },
      workspace: { type: 'string', multiple: true, default: ['workspace'] },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const match = /^(?:\[([0-9a-f:]+)\]|([^\s:]+)):(\d{1,5})$/i.exec(values.listen)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new Error(`--listen must be HOST:PORT, not "${values.listen}"`)
  const userFolder = process.env.INIT_CWD ?? process.cwd()
  const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share')
  return {
    help: values.help === true,
    host: match[1] ?? match[2] ?? '',
    port,
    dataFolder:
      values.data === undefined ? join(dataHome, 'millwright', 'nats-server') : resolve(userFolder, values.data),
    workspaces: [...new Set(values.workspace.map(toWorkspaceId))],
  }
}

function describeServer(server: NatsServer, workspaces: readonly string[]): string {
  const everywhere = server.host === '0.0.0.0' || server.host === '::'
  const url = (role: 'edge' | 'worker' | 'model') => {
    const text = server.url(role)
    // What other machines call this one is theirs to know.
    return everywhere ? text.replace(/@.*$/, `@THIS-HOST:${server.port}`) : text
  }
  const loopback = /^(127\.|localhost$|::1$)/.test(server.host)
  const warning = loopback
    ? ''
    : '\nThe connection is not encrypted: let it cross only a network that you trust (a VPN or a tunnel).\n'
  return `
NATS is ready on ${isIPv6(server.host) ? `[${server.host}]` : server.host}:${server.port}.

On the machine of the functions:
${workspaces.map((name) => `  MILLWRIGHT_WORKSPACE=${name} NATS_URL=${url('edge')} MILLWRIGHT_DATA=DIR npm run functions`).join('\n')}

On the machine of the repository:
${workspaces.map((name) => `  MILLWRIGHT_WORKSPACE=${name} NATS_URL=${url('worker')} npm run worker -- --repo PATH --data DIR`).join('\n')}

On further machines that only serve models:
  NATS_URL=${url('model')} npm run worker -- --role model --models DIR --model NAME
${warning}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
