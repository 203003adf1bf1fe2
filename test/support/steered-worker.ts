import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/transport-node'
import type { EdgeTrust } from '#gpu-worker/adapters/ed25519.ts'
import { createNatsCallServer } from '#gpu-worker/adapters/nats-call-server.ts'
import { connectWorker } from '#gpu-worker/adapters/nats-connection.ts'
import { createNatsEvents } from '#gpu-worker/adapters/nats-events.ts'
import { createNatsJobSource } from '#gpu-worker/adapters/nats-job-source.ts'
import { createNatsRegistry } from '#gpu-worker/adapters/nats-registry.ts'
import { createNoCommandRunner } from '#gpu-worker/adapters/no-command-runner.ts'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { createReportFolder } from '#gpu-worker/adapters/report-folder.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createTreeSitterPool } from '#gpu-worker/adapters/tree-sitter-pool.ts'
import { createDuplicationIndex } from '#gpu-worker/analysis/duplication.ts'
import { createDaemon } from '#gpu-worker/daemon.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { defaultSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { createModelSet } from '#gpu-worker/inference/model-set.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { createTestSuite } from '#gpu-worker/runs/test-suite.ts'
import { createServedCalls, createServedJobs } from '#gpu-worker/tools/served.ts'
import { KeyedLocks } from '#gpu-worker/workspace/locks.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import type { WorkerInfo } from '#shared/schemas/worker.ts'
import { machineOf } from './edge-key.ts'
import { startEdgeServer } from './edge-server.ts'
import { until } from './live-stack.ts'
import { connectClient, type TestClient } from './mcp.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** Moments of a job at which a test may do something. The job waits for it. */
export interface Moments {
  checking?: () => Promise<void>
  /** The checks have passed, the earlier bytes are kept, the file is as it was. */
  beforeWrite?: () => Promise<void>
  /** The new bytes are in the file; nobody has been told. */
  afterWrite?: () => Promise<void>
  /** Where this is, the worker hears of no cancel: the jobs of those whose message is lost come here. */
  lost?: string[]
}

/**
 * The whole system as it runs, its edge in the runtime of the tests' project and its worker in this process, but for the model,
 * which is the test's, and the moments at which it waits.
 */
export interface SteeredWorker {
  readonly client: TestClient
  readonly repository: TempRepository
  readonly moments: Moments
  /** Of the worker. */
  readonly connection: NatsConnection
  readonly trust: EdgeTrust
  killNats(): Promise<void>
  /** Where it was. */
  startNats(): Promise<void>
  stop(): Promise<void>
}

export async function startSteeredWorker(model: LanguageModel): Promise<SteeredWorker> {
  const world = await createTempRepository({ 'README.md': '# Sample\n' })
  const workspace = toWorkspaceId('steered')
  const binary = await findNatsServer()
  const natsFolder = join(world.folder, 'nats')
  let nats = await startNatsServer({ binary, dataFolder: natsFolder, webSocketPort: 0 })
  await ensureStreams(nats.url('admin'), [workspace])
  const edgeFolder = join(world.folder, 'edge')
  const edge = await startEdgeServer({
    workspace,
    folder: edgeFolder,
    natsUrl: nats.url('edge'),
    natsWebSocketUrl: nats.webSocketUrl('edge'),
  })
  const identity = await machineOf(edgeFolder, workspace)
  const { trust } = identity
  const moments: Moments = {}
  const connection = await connectWorker({ url: nats.url('worker') }, 'steered', new AbortController().signal)
  const registry = createNatsRegistry(connection, workspace, identity)
  const natsEvents = createNatsEvents(connection, workspace, trust)
  const events = instead(natsEvents, {
    onCancel: (listener: Parameters<typeof natsEvents.onCancel>[0]) =>
      natsEvents.onCancel((job) => (moments.lost === undefined ? listener(job) : moments.lost.push(job))),
  })
  const journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  const tree = await createNodeFileTree({ root: world.root })
  const git = await openRepository({ root: world.root })
  const parser = createTreeSitterParser()
  const checks = createFileChecker({ parser })
  const runner = createNoCommandRunner('this worker runs no commands')
  const ports = {
    settings: defaultSettingsSource,
    parser,
    runner,
    duplication: createDuplicationIndex(parser),
    files: instead(tree, {
      write: async (...write: Parameters<typeof tree.write>) => {
        await tree.write(...write)
        await moments.afterWrite?.()
      },
    }),
    repository: instead(git, {
      storeBlob: async (bytes: Uint8Array) => {
        const blob = await git.storeBlob(bytes)
        await moments.beforeWrite?.()
        return blob
      },
    }),
    checker: instead(checks, {
      check: async (...check: Parameters<typeof checks.check>) => {
        await moments.checking?.()
        return checks.check(...check)
      },
    }),
    registry,
    journal,
    events,
    edits: new KeyedLocks(),
  }
  const tests = createTestSuite({
    files: tree,
    runner,
    settings: defaultSettingsSource,
    list: () => tree.walk('', null),
  })
  const models = createModelSet([model])
  const reports = createReportFolder(join(world.folder, 'reports'))
  const info = (): WorkerInfo => ({
    worker_id: 'steered',
    version: '0',
    repository: 'sample',
    started_at: new Date().toISOString(),
    models: [model.info()],
    gpu: null,
    memory: { daemon_bytes: 1, model_bytes: null, machine_bytes: 1 },
    jobs_running: daemon.jobsRunning(),
    notices: [],
  })
  const daemon = createDaemon({
    workspace,
    workerId: 'steered',
    calls: createNatsCallServer(connection, workspace, '0.0.0', trust),
    jobs: createNatsJobSource(connection, workspace, trust, () => undefined),
    registry,
    events,
    journal,
    servedCalls: createServedCalls({ ...ports, reports }, models, async () => info()),
    servedJobs: createServedJobs({
      ...ports,
      models,
      permissions: { gitHooks: false, preCommitStore: '' },
      tests,
      reports,
      version: '0',
      agents: registry,
      stepsAtOnce: 1,
      createParser: () => createTreeSitterPool(1),
    }),
    jobsAtOnce: 4,
    log: () => undefined,
  })
  await daemon.start()
  const client = await connectClient(`${edge.url}/mcp`, edge.token)
  await until(async () => ((await client.ok('get_server_info', {})).workers as unknown[]).length === 1)
  return {
    client,
    repository: world,
    moments,
    connection,
    trust,
    async killNats() {
      nats.kill()
      await nats.exited
    },
    async startNats() {
      const { port, webSocketPort = 0 } = nats
      nats = await startNatsServer({ binary, dataFolder: natsFolder, port, webSocketPort })
    },
    async stop() {
      await client.close()
      await daemon.stop()
      await checks.close()
      await edge.close()
      await connection.close()
      journal.close()
      await nats.stop()
      world.remove()
    },
  }
}

/** An object as it is but for some of its methods. Not a copy: its own may be a class's. */
function instead<Port extends object>(port: Port, methods: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(methods, name) ? methods : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
