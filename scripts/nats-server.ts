import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import * as v from 'valibot'
import { type BoundProcess, describeExit, type ExitReport, spawnBound } from './bound-process.ts'
import { currentMachines, followMachines } from './machines/follow-machines.ts'
import { writeNatsPlace } from './machines/nats-place.ts'
import { makeServerCertificate, type ServerCertificate } from './nats-certificate.ts'
import { ADMIN_INBOX, formatNatsConfig, type NatsRole } from './nats-config.ts'
import { connectNats } from './nats-connect.ts'
import { createSecret, makePrivateFolder, readFileIfAny, writePrivateFile } from './private-files.ts'

export interface NatsServerOptions {
  readonly binary: string
  /** Holds the configuration, the passwords and the JetStream store; nobody else's. Made where it is missing. */
  readonly dataFolder: string
  /** A free one is taken where it is left out or 0. */
  readonly port?: number
  /** 127.0.0.1 where left out. */
  readonly host?: string
  /** Of a WebSocket listener beside it; 0 takes a free one. There is none where it is left out. */
  readonly webSocketPort?: number
  /**
   * With TLS: by a certificate that is made here for these further names of the machine, or by one of the operator's. Where
   * it is left out, only a server that listens to this machine alone has none.
   */
  readonly tls?: { readonly names: readonly string[] } | ServerCertificate
  /** Warnings and errors of the server. */
  readonly log?: (line: string) => void
  /** Ends an attempt to start. */
  readonly signal?: AbortSignal
}

export interface NatsServer {
  readonly pid: number
  readonly host: string
  readonly port: number
  /** With the role's name and password in it. `host` is another name by which the server can be reached. */
  url(role: NatsRole, host?: string): string
  /** The same for the WebSocket listener: `ws://…`, with TLS `wss://…`. Throws where there is none. */
  webSocketUrl(role: NatsRole): string
  readonly webSocketPort: number | undefined
  /** What clients must trust to connect by TLS; undefined without TLS, and where they trust the operator's certificate anyway. */
  readonly authorityFile: string | undefined
  /** Resolves when the server has ended, whoever ended it. */
  readonly exited: Promise<ExitReport>
  /** Ends it in an orderly way, or with SIGKILL where it does not react (a full disk has made servers deaf). */
  stop(): Promise<void>
  kill(): void
}

const READY_TIMEOUT_MS = 30_000
const STOP_GRACE_MS = 5000
const LINES_KEPT = 20

/** A file of before there were model workers lacks theirs: it is made then, and the others stay. */
const Passwords = v.object({
  admin: v.string(),
  edge: v.string(),
  worker: v.string(),
  model: v.exactOptional(v.string()),
})

/**
 * Starts a nats-server and resolves when a connection and a question to JetStream have been answered. It cannot
 * outlive this process. The passwords are made at the first start and stay, so that a worker on another machine keeps
 * its URL. Rejects, with nothing left running, where the server ends or does not answer in time.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { binary, dataFolder, port = 0, host = '127.0.0.1', webSocketPort, log = () => undefined } = options
  makePrivateFolder(dataFolder)
  const passwords = readPasswords(join(dataFolder, 'passwords.json'))
  // Left by a server that was killed: its process id may come again.
  for (const file of portsFiles(dataFolder)) rmSync(join(dataFolder, file), { force: true })
  const certificate = findCertificate(options, host)
  const configFile = join(dataFolder, 'nats-server.conf')
  const settings = {
    host,
    port: port === 0 ? -1 : port,
    ...(webSocketPort === undefined ? {} : { webSocketPort: webSocketPort === 0 ? -1 : webSocketPort }),
    storeFolder: join(dataFolder, 'jetstream'),
    portsFolder: dataFolder,
    ...(certificate === undefined ? {} : { tls: certificate }),
    passwords,
  }
  writePrivateFile(configFile, formatNatsConfig({ ...settings, machines: currentMachines(dataFolder) }))

  const lines: string[] = []
  const child = await spawnBound({
    command: binary,
    args: ['-c', configFile],
    onLine: (line) => {
      lines.push(line)
      if (lines.length > LINES_KEPT) lines.shift()
      // That our passwords stand in a file that only we can read is known, and that a listener of ours has no TLS.
      if (/\[(WRN|ERR|FTL)\]/.test(line) && !/Plaintext passwords|Websocket not configured with TLS/.test(line))
        log(line)
    },
  })
  const isSecure = certificate !== undefined
  const urlAt = (role: NatsRole, hostName: string, actualPort: number, scheme = isSecure ? 'tls' : 'nats') =>
    `${scheme}://${role}:${encodeURIComponent(passwords[role])}@${isIPv6(hostName) ? `[${hostName}]` : hostName}:${actualPort}`
  try {
    const actualPort = await waitUntilReady(child, dataFolder, port, options.signal, (candidate) =>
      askJetStream(urlAt('admin', reachableHost(host), candidate), certificate?.authorityFile),
    )
    const stopFollowing = followMachines(dataFolder, log, (machines) => {
      writePrivateFile(configFile, formatNatsConfig({ ...settings, machines }))
      // Takes the users anew, and parts from those who are no longer among them.
      if (child.pid > 0) process.kill(child.pid, 'SIGHUP')
    })
    void child.exited.then(stopFollowing)
    const actualWebSocketPort = webSocketPort === 0 ? readPort(dataFolder, child.pid, 'websocket') : webSocketPort
    writeNatsPlace(dataFolder, {
      host: reachableHost(host),
      loopback: isLoopback(host),
      port: actualPort,
      web_socket_port: actualWebSocketPort ?? null,
      secure: isSecure,
      authority_file: certificate?.authorityFile ?? null,
    })
    return {
      pid: child.pid,
      host,
      port: actualPort,
      webSocketPort: actualWebSocketPort,
      authorityFile: certificate?.authorityFile,
      webSocketUrl(role) {
        if (actualWebSocketPort === undefined) throw new Error('NATS has no WebSocket listener')
        return urlAt(role, reachableHost(host), actualWebSocketPort, isSecure ? 'wss' : 'ws')
      },
      url: (role, hostName = reachableHost(host)) => urlAt(role, hostName, actualPort),
      exited: child.exited,
      stop: async () => {
        await child.stop(STOP_GRACE_MS)
      },
      kill: child.kill,
    }
  } catch (error) {
    child.kill()
    await child.exited
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error([`Cannot start nats-server: ${reason}`, ...lines.map((line) => `  ${line}`)].join('\n'), {
      cause: error,
    })
  }
}

/** The port, once JetStream answers there. Its log says "ready" before that, and also when JetStream is off. */
async function waitUntilReady(
  child: BoundProcess,
  dataFolder: string,
  fixedPort: number,
  signal: AbortSignal | undefined,
  ask: (port: number) => Promise<void>,
): Promise<number> {
  let exit: ExitReport | undefined
  void child.exited.then((report) => {
    exit = report
  })
  const deadline = Date.now() + READY_TIMEOUT_MS
  let problem: unknown
  for (;;) {
    if (exit !== undefined) throw new Error(`it ended with ${describeExit(exit)}`)
    if (signal?.aborted === true) throw new Error('stopped while starting')
    const port = fixedPort === 0 ? readPort(dataFolder, child.pid, 'nats') : fixedPort
    if (port !== undefined) {
      try {
        await ask(port)
        // On a fixed port another server may answer, while ours is about to give up.
        if (exit === undefined) return port
      } catch (error) {
        problem = error
      }
    }
    if (Date.now() > deadline) {
      throw new Error(`no answer from JetStream in ${READY_TIMEOUT_MS / 1000} s`, { cause: problem })
    }
    await sleep(20)
  }
}

/** Names by which this machine may be reached, as far as it knows them itself. */
function ownNames(host: string): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address))
  // An address with a zone (`fe80::1%eth0`) means something on this machine only.
  const known = ['localhost', '127.0.0.1', '::1', hostname(), reachableHost(host), ...addresses]
  return [...new Set(known)].filter((name) => !name.includes('%'))
}

function findCertificate({ dataFolder, tls }: NatsServerOptions, host: string): ServerCertificate | undefined {
  if (tls !== undefined && 'certificateFile' in tls) return tls
  if (tls === undefined && isLoopback(host)) return undefined
  return makeServerCertificate(dataFolder, [...new Set([...ownNames(host), ...(tls?.names ?? [])])])
}

/** Whether only this machine itself can reach what listens there. */
const isLoopback = (host: string): boolean => /^(127\.[\d.]+|localhost|::1)$/.test(host)

async function askJetStream(url: string, authorityFile: string | undefined): Promise<void> {
  const options = { name: 'millwright-probe', inboxPrefix: ADMIN_INBOX, timeoutMs: 2000, authorityFile }
  const connection = await connectNats(url, options)
  try {
    await (await jetstreamManager(connection, { timeout: 5000 })).getAccountInfo()
  } finally {
    await connection.close()
  }
}

function readPasswords(file: string): Record<NatsRole, string> {
  const text = readFileIfAny(file)
  const parsed = text === undefined ? undefined : v.safeParse(v.pipe(v.string(), v.parseJson(), Passwords), text)
  if (parsed?.success === false) {
    throw new Error(`Cannot read the passwords of NATS: ${file} is damaged; remove it and new ones are made`)
  }
  const { model, ...known } = parsed?.output ?? { admin: createSecret(), edge: createSecret(), worker: createSecret() }
  if (model !== undefined) return { ...known, model }
  const passwords = { ...known, model: createSecret() }
  writePrivateFile(file, `${JSON.stringify(passwords, null, 2)}\n`)
  return passwords
}

const Urls = v.tuple([v.pipe(v.string(), v.url())])
const PortsFile = v.object({ nats: Urls, websocket: v.optional(Urls) })

function readPort(folder: string, pid: number, listener: keyof v.InferOutput<typeof PortsFile>): number | undefined {
  const name = portsFiles(folder).find((file) => file.endsWith(`_${pid}.ports`))
  if (name === undefined) return undefined
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), PortsFile), readFileSync(join(folder, name), 'utf8'))
  const [url] = (parsed.success ? parsed.output[listener] : undefined) ?? []
  return url === undefined ? undefined : Number(new URL(url).port)
}

function portsFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.ports'))
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
