import { isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { toWorkspaceId } from '#shared/ids.ts'
import { listenForInterrupts } from './interrupts.ts'
import { findNatsServer } from './nats-binary.ts'
import { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts'
import { ensureStreams } from './nats-streams.ts'
import { makePrivateFolder } from './private-files.ts'
import { acquireStackLock } from './stack-lock.ts'
import { createSupervisor } from './supervisor.ts'

// npm run nats: only the NATS server, for functions and worker on two machines.

const usage = `Usage: npm run nats -- [--listen HOST:PORT] [--websocket PORT] [--name HOST] [--tls-cert FILE --tls-key FILE]
                            [--data DIR] [--workspace NAME]

  --listen HOST:PORT   127.0.0.1:4222 where left out; other machines reach it by TLS alone
  --websocket PORT     a second listener, for networks that let only HTTPS out, and for workerd
  --name HOST          a further name or address by which machines reach it; may be given more than once
  --tls-cert, --tls-key  a certificate of your own and its key, as PEM, in place of the one that is made
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
          const { dataFolder, host, port, webSocketPort, tls } = options
          server = await startNatsServer({
            binary,
            dataFolder: join(dataFolder, 'nats'),
            host,
            port,
            ...(webSocketPort === undefined ? {} : { webSocketPort }),
            ...(tls === undefined ? {} : { tls }),
            log,
            signal,
          })
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
    await ensureStreams(server.url('admin'), options.workspaces, server.authorityFile)
    console.log(describeServer(server, options.workspaces, options.dataFolder))
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
      websocket: { type: 'string' },
      name: { type: 'string', multiple: true, default: [] },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      data: { type: 'string' },
      workspace: { type: 'string', multiple: true, default: ['workspace'] },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const match = /^(?:\[([0-9a-f:]+)\]|([^\s:]+)):(\d{1,5})$/i.exec(values.listen)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new Error(`--listen must be HOST:PORT, not "${values.listen}"`)
  const webSocketPort = values.websocket === undefined ? undefined : Number(values.websocket)
  if (
    webSocketPort !== undefined &&
    !(Number.isInteger(webSocketPort) && webSocketPort > 0 && webSocketPort <= 65_535)
  ) {
    throw new Error(`--websocket must be a port, not "${values.websocket}"`)
  }
  const userFolder = process.env.INIT_CWD ?? process.cwd()
  const tls = parseTls(values['tls-cert'], values['tls-key'], values.name, userFolder)
  const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share')
  return {
    help: values.help === true,
    host: match[1] ?? match[2] ?? '',
    port,
    webSocketPort,
    tls,
    dataFolder:
      values.data === undefined ? join(dataHome, 'millwright', 'nats-server') : resolve(userFolder, values.data),
    workspaces: [...new Set(values.workspace.map(toWorkspaceId))],
  }
}

function parseTls(
  certificate: string | undefined,
  key: string | undefined,
  names: readonly string[],
  userFolder: string,
): NatsServerOptions['tls'] {
  if ((certificate === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key belong together')
  if (certificate === undefined || key === undefined) return names.length === 0 ? undefined : { names }
  return {
    certificateFile: resolve(userFolder, certificate),
    keyFile: resolve(userFolder, key),
    authorityFile: undefined,
  }
}

function describeServer(server: NatsServer, workspaces: readonly string[], dataFolder: string): string {
  const everywhere = server.host === '0.0.0.0' || server.host === '::'
  const edgeUrl = () => {
    const text = server.url('edge')
    // What other machines call this one is theirs to know.
    return everywhere ? text.replace(/@.*$/, `@THIS-HOST:${server.port}`) : text
  }
  const { authorityFile } = server
  const trust = authorityFile === undefined ? '' : `NATS_CA=${authorityFile} `
  const note =
    authorityFile === undefined
      ? ''
      : '\nNATS_CA is a file that the functions need as well, wherever they run. It is no secret.\n'
  return `
NATS is ready on ${isIPv6(server.host) ? `[${server.host}]` : server.host}:${server.port}.

On the machine of the functions:
${workspaces.map((name) => `  ${trust}MILLWRIGHT_WORKSPACE=${name} NATS_URL=${edgeUrl()} MILLWRIGHT_DATA=DIR npm run functions`).join('\n')}

Each other machine is let in by a key that it makes itself. Where the functions run, for each repository or model worker:
${workspaces.map((name) => `  npm run keys -- machine NAME --workspace ${name} --data DIR --nats-data ${dataFolder} [--role model]`).join('\n')}

That prints a line for "npm run worker -- enroll" on the new machine.
${note}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
