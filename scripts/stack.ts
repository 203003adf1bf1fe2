import { realpathSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { claimPort } from './free-port.ts'
import { endLeftovers, recordProcesses } from './leftovers.ts'
import { readEdgeKeys } from './machines/edge-keys.ts'
import { writeLocalMachine } from './machines/machine-file.ts'
import { findNatsServer } from './nats-binary.ts'
import type { NatsRole } from './nats-config.ts'
import { type NatsServer, startNatsServer } from './nats-server.ts'
import { ensureStreams } from './nats-streams.ts'
import { createNodeService } from './node-service.ts'
import { makePrivateFolder, readFileIfAny } from './private-files.ts'
import { projectFolder } from './setup/paths.mjs'
import { acquireStackLock } from './stack-lock.ts'
import { type Backoff, createSupervisor, type Service } from './supervisor.ts'

export interface StackOptions {
  /** The top folder of a git repository. */
  readonly repository: string
  /** Made where it is missing; for this stack alone; outside the repository. */
  readonly dataFolder: string
  /** As `--model` says it; several, of which the first is the default; left out: chosen by the machine's memory. */
  readonly model?: string | readonly string[]
  readonly threads?: number
  /** Of the worker, as `--role` says them; both where left out. */
  readonly roles?: readonly string[]
  /** Answers that each model writes at the same time; by the memory where left out. */
  readonly slots?: number
  /** Where downloaded models are kept; in the data folder where left out. */
  readonly modelsFolder?: string
  /** 0 takes a free one. */
  readonly port: number
  /** In which runtime the functions run; Node's where left out. */
  readonly edge?: EdgeRuntime
  readonly log: (line: string) => void
  /** Before a part that has died is started again. Left out: as the supervisor has it. */
  readonly backoff?: Backoff
  /** Ends an attempt to start. */
  readonly signal?: AbortSignal
}

/** Makes the service that runs the functions, in its runtime. */
export type EdgeRuntime = (settings: EdgeSettings) => Service

export interface EdgeSettings {
  /** For the registry and the token (`token`, as text), made where it is missing. */
  readonly folder: string
  readonly workspace: WorkspaceId
  readonly host: string
  readonly port: number
  readonly log: (line: string) => void
  /** Asked at each start, with the edge's name and password in them. The second is a WebSocket's. */
  natsUrl(): string
  natsWebSocketUrl(): string
}

/** NATS, the functions and a worker on one repository. */
export interface Stack {
  /** Of the MCP endpoint. */
  readonly url: string
  /** Of the page. */
  readonly pageUrl: string
  /** What every call must carry as a bearer token. */
  readonly token: string
  readonly workspace: WorkspaceId
  readonly dataFolder: string
  /** Where NATS is, with a role's name and password in it. */
  natsUrl(role: NatsRole): string
  /** Process ids of `nats`, `functions` and `worker`, as far as they run now; what dies is started again. */
  pids(): Record<string, number>
  /** Drains and ends all of it. Leaves no process behind. */
  stop(): Promise<void>
  /** Ends all of it by force, at once. */
  kill(): void
}

const HOST = '127.0.0.1'

/**
 * Starts a stack and resolves when its endpoint answers; the model loads behind it. Rejects, with nothing left running,
 * where a part cannot start, the port is taken, or another stack has the data folder; the message is for a person.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { log } = options
  const repository = realpathSync(options.repository)
  makePrivateFolder(options.dataFolder)
  const dataFolder = realpathSync(options.dataFolder)
  if (isInside(dataFolder, repository)) {
    throw new Error(
      `Cannot use the data folder ${dataFolder}: it lies inside the repository, where agents could read it`,
    )
  }
  const lock = acquireStackLock(dataFolder)
  try {
    const processesFile = join(dataFolder, 'processes.json')
    await endLeftovers(processesFile, log)
    const port = await claimPort(options.port)
    const workspace = toWorkspaceId(basename(repository))
    makePrivateFolder(join(dataFolder, 'worker'))

    const edgeFolder = join(dataFolder, 'edge')
    makePrivateFolder(edgeFolder)
    const machineFile = join(dataFolder, 'worker', 'machine.json')
    await writeLocalMachine(machineFile, await readEdgeKeys(join(edgeFolder, 'signing-key')), { workspace })

    const nats = createNatsService({
      binary: await findNatsServer(),
      folder: join(dataFolder, 'nats'),
      workspace,
      // Only another runtime than Node needs it.
      webSocket: options.edge !== undefined,
      log,
    })
    const common = { MILLWRIGHT_WORKSPACE: workspace }
    const functions = (options.edge ?? createNodeEdge)({
      folder: edgeFolder,
      workspace,
      host: HOST,
      port,
      log,
      natsUrl: () => nats.server().url('edge'),
      natsWebSocketUrl: () => nats.server().webSocketUrl('edge'),
    })
    const worker = createNodeService({
      name: 'worker',
      file: join(projectFolder, 'gpu-worker', 'main.ts'),
      args: [
        ...[options.model ?? []].flat().flatMap((model) => ['--model', model]),
        ...(options.roles ?? []).flatMap((role) => ['--role', role]),
      ],
      log,
      environment: () => ({
        ...common,
        NATS_URL: nats.server().url('worker'),
        MILLWRIGHT_DATA: join(dataFolder, 'worker'),
        MILLWRIGHT_MACHINE: machineFile,
        MILLWRIGHT_REPOSITORY: repository,
        ...(options.modelsFolder === undefined ? {} : { MILLWRIGHT_MODELS: options.modelsFolder }),
        ...(options.threads === undefined ? {} : { MILLWRIGHT_THREADS: String(options.threads) }),
        ...(options.slots === undefined ? {} : { MILLWRIGHT_SLOTS: String(options.slots) }),
      }),
    })
    const supervisor = createSupervisor({
      services: [nats.service, functions, worker],
      log,
      ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
      onChange: (pids) => recordProcesses(processesFile, pids),
    })
    const onAbort = () => void supervisor.stop()
    options.signal?.addEventListener('abort', onAbort)
    try {
      options.signal?.throwIfAborted()
      await supervisor.start()
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
    }
    // Made by the functions at their first start, and there before they say that they are ready.
    const token = readFileIfAny(join(dataFolder, 'edge', 'token'))?.trim() ?? ''
    if (token === '') {
      await supervisor.stop()
      throw new Error('Cannot start: the functions have made no token in the data folder')
    }
    let stopped: Promise<void> | undefined
    return {
      url: `http://${HOST}:${port}/mcp`,
      pageUrl: `http://${HOST}:${port}/`,
      token,
      workspace,
      dataFolder,
      natsUrl: (role) => nats.server().url(role),
      pids: supervisor.pids,
      stop: () => {
        stopped ??= supervisor.stop().finally(lock.release)
        return stopped
      },
      kill: supervisor.kill,
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

const createNodeEdge: EdgeRuntime = (settings) =>
  createNodeService({
    name: 'functions',
    file: join(projectFolder, 'functions', 'entry.node.ts'),
    log: settings.log,
    environment: () => ({
      NATS_URL: settings.natsUrl(),
      MILLWRIGHT_WORKSPACE: settings.workspace,
      MILLWRIGHT_DATA: settings.folder,
      MILLWRIGHT_HOST: settings.host,
      MILLWRIGHT_PORT: String(settings.port),
    }),
  })

function createNatsService(options: {
  binary: string
  folder: string
  workspace: WorkspaceId
  webSocket: boolean
  log: (line: string) => void
}): { service: Service; server: () => NatsServer } {
  let current: NatsServer | undefined
  return {
    service: {
      name: 'nats',
      async start(signal) {
        const server = await startNatsServer({
          binary: options.binary,
          dataFolder: options.folder,
          // The others reconnect to where it was.
          port: current?.port ?? 0,
          ...(options.webSocket ? { webSocketPort: current?.webSocketPort ?? 0 } : {}),
          log: (line) => options.log(`[nats] ${line}`),
          signal,
        })
        try {
          await ensureStreams(server.url('admin'), [options.workspace])
        } catch (error) {
          await server.stop()
          throw error
        }
        current = server
        return server
      },
    },
    server: () => {
      if (current === undefined) throw new Error('Cannot tell where NATS is: it has not started')
      return current
    },
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && way !== path)
}
