import { randomUUID } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { availableParallelism, hostname, totalmem } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { NatsConnection } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import type { MachineFile } from '#shared/protocol/signature.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { WorkerInfo } from '#shared/schemas/worker.ts'
import { createCommandRunner } from './adapters/command-runner.ts'
import { createMachineIdentity, readMachineFile } from './adapters/machine-identity.ts'
import { createNatsCallServer, isServed } from './adapters/nats-call-server.ts'
import { connectWorker, enrolledNats, type WorkerNats } from './adapters/nats-connection.ts'
import { enrollMachine } from './adapters/nats-enrollment.ts'
import { createNatsEvents } from './adapters/nats-events.ts'
import { createNatsJobSource } from './adapters/nats-job-source.ts'
import { createNatsModelGroup } from './adapters/nats-model-group.ts'
import { createNatsModelServer } from './adapters/nats-model-server.ts'
import { createNatsRegistry } from './adapters/nats-registry.ts'
import { createNodeFileTree } from './adapters/node-file-tree.ts'
import { createLlamaModel } from './adapters/node-llama-cpp.ts'
import { createReportFolder } from './adapters/report-folder.ts'
import { openRepository } from './adapters/simple-git.ts'
import { openSqliteJournal } from './adapters/sqlite-journal.ts'
import { openStatesFolder } from './adapters/states-folder.ts'
import { createTreeSitterParser } from './adapters/tree-sitter-parser.ts'
import { createTreeSitterPool } from './adapters/tree-sitter-pool.ts'
import { createDuplicationIndex } from './analysis/duplication.ts'
import { parseEnrollArguments, parseWorkerConfig, type WorkerConfig, workerUsage } from './config.ts'
import { createDaemon } from './daemon.ts'
import { commandNotices } from './gates/commands.ts'
import { createFileChecker } from './gates/file-checker.ts'
import { createSettingsSource, protectionOf, type SettingsSource } from './gates/settings-source.ts'
import { findKey, parseModelList, parseRemoteList } from './inference/model-list.ts'
import { createModelService } from './inference/model-service.ts'
import { createModelSet } from './inference/model-set.ts'
import type { ModelSupervisor } from './inference/model-supervisor.ts'
import { createRemoteModels } from './inference/remote-models.ts'
import { createModelTeller } from './inference/tell-models.ts'
import type { CommandRunner } from './ports/command-runner.ts'
import type { LanguageModel } from './ports/language-model.ts'
import { createTestSuite } from './runs/test-suite.ts'
import { visible } from './tools/files.ts'
import { createServedCalls, createServedJobs } from './tools/served.ts'
import { KeyedLocks } from './workspace/locks.ts'
import { recoverWorkspace } from './workspace/recover.ts'
import { createProtectedFileTree } from './workspace/repository-protection.ts'
import { tellCommits, tellWrites } from './workspace/tell-changes.ts'

// The worker: the only file of it that reads the environment and signals, and that picks libraries.

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** Says that no restart mends what is wrong: `EX_CONFIG` of sysexits.h. */
const EXIT_CONFIGURATION = 78

/** One may write and check while others wait for the model. More only where the model answers more of them at once. */
const JOBS_AT_ONCE_MIN = 4

/** For one look at the whole repository: the work beside the parsing keeps a core busy by itself. */
const PARSER_THREADS = Math.min(4, availableParallelism())
/** Who waits for a model to load looks more rarely than this. */
const MODEL_LOOK_MS = 1000

async function main(): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())
  // Whoever started us is gone: nobody would stop us.
  process.on('disconnect', () => stopping.abort())

  if (process.argv.includes('--help')) {
    console.log(workerUsage)
    return
  }
  if (process.argv[2] === 'enroll') {
    const { line, machineFile } = parseEnrollArguments(process.argv.slice(3), process.env)
    const { name, role, workspace } = await enrollMachine(line, fromUser(machineFile), stopping.signal)
    log(
      `Enrolled as "${name}" (${role}${workspace === '*' ? '' : `, workspace ${workspace}`}): ${fromUser(machineFile)}`,
    )
    return
  }
  const config = parseWorkerConfig(process.argv.slice(2), process.env)
  const memberId = randomUUID()
  if (config.repository === null) await serveModels(config, memberId, stopping)
  else await serveRepository(config, config.repository, memberId, stopping)
}

/** Inference for the repository workers of one workspace or of all; no repository, no journal, no git. */
async function serveModels(config: WorkerConfig, member: string, stopping: AbortController): Promise<void> {
  const machine = readMachineFile(fromUser(config.machineFile))
  const identity = createMachineIdentity(machine)
  const { models } = await createModels(config)
  const connection = await connectWorker(natsOf(config, machine), `millwright-model-${hostname()}`, stopping.signal)
  const service = createModelService({
    member,
    host: hostname(),
    models,
    server: createNatsModelServer(connection, config.workspace ?? machine.workspace, member, identity),
    log,
  })
  await service.start()
  log(`Model worker ${member} ready: ${models.map(({ name }) => name).join(', ')}`)
  await untilStopped(connection, stopping)
  await service.stop()
  await createModelSet(models).close()
  if (!connection.isClosed()) await connection.drain()
}

async function serveRepository(
  config: WorkerConfig,
  place: NonNullable<WorkerConfig['repository']>,
  workerId: string,
  stopping: AbortController,
): Promise<void> {
  const root = findFolder(fromUser(place.folder))
  const machine = readMachineFile(fromUser(config.machineFile))
  const identity = createMachineIdentity(machine)
  const workspace = workspaceOf(config, machine, root)
  const tree = await createNodeFileTree({ root, allowProtected: [...config.allowedPaths] })
  const settings = createSettingsSource(tree)
  const files = createProtectedFileTree(tree, protectionOf(settings))
  const repository = await openRepository({
    root,
    allowFilters: config.allowedFilters,
    allowProtected: config.allowedPaths,
    isOnlyWriter: true,
    onNotice: log,
    ...(process.env.PATH === undefined ? {} : { searchPath: process.env.PATH }),
  })
  const journal = openSqliteJournal(join(fromUser(place.dataFolder), 'journal.sqlite'))
  for (const line of await recoverWorkspace(tree, journal, journal.unfinished())) log(line)
  const runner = await createCommandRunner({
    root,
    allowProtected: config.allowedPaths,
    dataFolder: fromUser(place.dataFolder),
    hiddenFolders: config.modelsFolder === undefined ? [] : [fromUser(config.modelsFolder)],
    commandFolders: config.commandFolders,
    isUnsandboxedAllowed: config.unsandboxedCommands,
    searchPath: process.env.PATH ?? '',
    environment: process.env,
    bubblewrap: config.bubblewrap,
  })
  if (!runner.isSandboxed) log("The repository's commands run WITHOUT a sandbox, as --unsandboxed-commands says")
  if (config.gitHooks) log('run_pre_commit may run hook files of git, as MILLWRIGHT_GIT_HOOKS says')
  const parser = createTreeSitterParser()
  const checker = createFileChecker({ parser, settings, runner })
  const list = (signal: AbortSignal) => visible({ files, repository }, '', null, signal)
  const tests = createTestSuite({ files, runner, settings, list })
  const configured = await createModels(config)
  const nats = natsOf(config, machine)
  const connection = await connectWorker(nats, `millwright-worker-${workspace}`, stopping.signal)
  await refuseSecondWorker(connection, workspace)
  const group = createNatsModelGroup(connection, workspace, identity, nats.machine?.inboxes.model)
  const remote = createRemoteModels({ group, self: workerId, configured: configured.remoteNames, log })
  const models = createModelSet(configured.models, remote)
  const service = createModelService({
    member: workerId,
    host: hostname(),
    models: config.servesModels ? configured.models : [],
    server: createNatsModelServer(connection, workspace, workerId, identity),
    log,
  })

  const version = readVersion()
  const startedAt = new Date().toISOString()
  const registry = createNatsRegistry(connection, workspace, identity)
  const events = createNatsEvents(connection, workspace, identity.trust)
  const duplication = createDuplicationIndex(parser)
  const edits = new KeyedLocks()
  const told = { journal: tellWrites(journal, events.workspace), repository: tellCommits(repository, events.workspace) }
  const ports = { files, registry, checker, parser, duplication, settings, runner, edits, ...told }
  const permissions = { gitHooks: config.gitHooks, preCommitStore: config.preCommitStore }
  const reports = createReportFolder(join(fromUser(place.dataFolder), 'reports'))
  const validating = { reports, version, createParser: () => createTreeSitterPool(PARSER_THREADS) }
  const improving = { agents: registry, stepsAtOnce: config.slots ?? JOBS_AT_ONCE_MIN }
  const workerInfo = async (): Promise<WorkerInfo> => ({
    worker_id: workerId,
    version,
    repository: basename(root),
    started_at: startedAt,
    models: models.all().map((each) => each.info()),
    gpu: configured.gpu(),
    memory: {
      daemon_bytes: process.memoryUsage.rss(),
      model_bytes: models.memoryBytes(),
      machine_bytes: totalmem(),
    },
    jobs_running: daemon.jobsRunning(),
    notices: [...(await repository.notices()), ...(await configurationNotices(settings, runner))],
  })
  const daemon = createDaemon({
    workspace,
    workerId,
    calls: createNatsCallServer(connection, workspace, version, identity.trust),
    jobs: createNatsJobSource(connection, workspace, identity.trust, log),
    registry,
    events,
    journal,
    servedCalls: createServedCalls({ ...ports, reports }, models, workerInfo),
    servedJobs: createServedJobs({ ...ports, ...validating, ...improving, models, permissions, tests }),
    jobsAtOnce: Math.max(JOBS_AT_ONCE_MIN, config.slots ?? 0),
    log,
  })
  await daemon.start()
  if (config.servesModels) await service.start()
  const say = (state: 'started' | 'stopped') =>
    events.workspace({ v: WIRE_VERSION, type: 'worker_changed', worker_id: workerId, state })
  say('started')
  const teller = createModelTeller(() => models.all().map((each) => each.info()), events.workspace)
  const looking = setInterval(() => teller.look(), MODEL_LOOK_MS)
  log(`Worker ready: workspace ${workspace}`)
  await untilStopped(connection, stopping)
  clearInterval(looking)
  say('stopped')
  await Promise.all([daemon.stop(), service.stop()])
  await models.close()
  await checker.close()
  if (!connection.isClosed()) await connection.drain()
  journal.close()
}

/** A machine that was enrolled for one workspace serves that one. */
function workspaceOf({ workspace }: WorkerConfig, machine: MachineFile, root: string): WorkspaceId {
  const enrolled = machine.role === 'repository' && machine.workspace !== '*' ? machine.workspace : null
  if (enrolled === null) {
    throw new AppError('invalid_input', `Cannot start the worker: this machine was enrolled to serve models alone`, {
      hint: 'Start it with --role model, or enroll it as a repository worker under another name',
    })
  }
  if (workspace !== undefined && workspace !== enrolled) {
    throw new AppError(
      'invalid_input',
      `Cannot start the worker: this machine was enrolled for workspace "${enrolled}"`,
      {
        hint: `Leave --workspace out, or enroll it for "${workspace}" with --machine FILE for a second set of credentials`,
      },
    )
  }
  const named = toWorkspaceId(basename(root))
  if (workspace === undefined && named !== enrolled)
    log(`The folder "${basename(root)}" is workspace "${enrolled}" here`)
  return enrolled
}

/** Tells our supervisor that we are ready, and waits until we are to stop or NATS is lost for good. */
async function untilStopped(connection: NatsConnection, stopping: AbortController): Promise<void> {
  process.send?.({ type: 'ready' })
  void connection.closed().then((error) => {
    if (error instanceof Error) log(`The connection to NATS is closed for good: ${error.message}`)
    stopping.abort()
  })
  await new Promise<void>((done) => {
    if (stopping.signal.aborted) done()
    stopping.signal.addEventListener('abort', () => done(), { once: true })
  })
}

/** Where NATS is: as the environment says, or as the machine was told when it was enrolled. */
function natsOf({ nats }: WorkerConfig, machine: MachineFile): WorkerNats {
  if (nats === null) return enrolledNats(machine)
  const { url, authorityFile } = nats
  return { url, ...(authorityFile === undefined ? {} : { authority: readFileSync(fromUser(authorityFile), 'utf8') }) }
}

/** npm runs scripts in Millwright's folder and says where the person was. */
const fromUser = (path: string): string => resolve(process.env.INIT_CWD ?? process.cwd(), path)

/** The models of the configuration. The default one is loaded now, the others with their first call. */
async function createModels(config: WorkerConfig) {
  const { here, remoteNames } = config.servesModels
    ? { here: parseModelList(config.models), remoteNames: [] }
    : parseRemoteList(config.models)
  const list = here.map((each) => ({
    ...each,
    key: 'server' in each ? findKey(each.server, process.env) : null,
  }))
  const statesFolder = fromUser(config.statesFolder)
  const statesBytesMax = await openStatesFolder(statesFolder, config.statesBytesMax)
  const llamas = list.filter((each) => !('server' in each)).length
  const local: ModelSupervisor[] = []
  const models: LanguageModel[] = []
  for (const [index, each] of list.entries()) {
    if ('server' in each) {
      if (index === 0 && config.levers.draftModel !== null) throw draftWithoutModel()
      // 35 MB that most workers never need.
      const { createOpenAiModel } = await import('./adapters/openai-model.ts')
      models.push(createOpenAiModel({ ...each, log }))
    } else {
      const { draftModel } = config.levers
      const model = createLlamaModel({
        reference: each,
        // Of another vocabulary than the other models, most likely.
        levers: { ...config.levers, draftModel: index > 0 || draftModel === null ? null : fromUser(draftModel) },
        ...(config.threads === undefined ? {} : { threads: config.threads }),
        ...(config.slots === undefined ? {} : { slots: config.slots }),
        modelsFolder: fromUser(config.modelsFolder ?? ''),
        states: { folder: statesFolder, bytesMax: Math.floor(statesBytesMax / llamas) },
        preload: index === 0,
        log,
      })
      local.push(model)
      models.push(model)
    }
  }
  const gpu = (): WorkerInfo['gpu'] => local.map((model) => model.gpu()).find((each) => each !== null) ?? null
  return { models, remoteNames, gpu }
}

const draftWithoutModel = () =>
  new AppError('invalid_input', 'Cannot start the worker: the default model is a server’s, and takes no draft model', {
    hint: 'Unset MILLWRIGHT_DRAFT_MODEL, or name first a model that Millwright runs itself',
  })

/** What is wrong with `millwright.json`, or keeps this worker from doing what it asks. */
async function configurationNotices(settings: SettingsSource, runner: CommandRunner): Promise<readonly string[]> {
  const { settings: current, fault } = await settings()
  const commands = await commandNotices(runner, current.commands)
  return fault === null ? commands : [fault, ...commands]
}

/** Two workers on one repository would not see each other's locks. */
async function refuseSecondWorker(connection: NatsConnection, workspace: WorkspaceId): Promise<void> {
  if (!(await isServed(connection, workspace))) return
  throw new AppError('conflict', `Cannot start the worker: another one serves workspace "${workspace}"`, {
    hint: 'Stop it first, or give this one another --workspace',
  })
}

/** A folder that is missing may come back, as with a disk that is not mounted yet: whoever supervises us tries again. */
function findFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw new AppError('unavailable', `Cannot start the worker: the repository "${path}" cannot be found`, {
      hint: 'Put it back, or name another with --repo',
      cause,
    })
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null
  return typeof version === 'string' ? version : 'unknown'
}

try {
  await main()
  process.exit(0)
} catch (error) {
  if (error instanceof AppError) {
    log(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`)
    process.exit(error.code === 'invalid_input' ? EXIT_CONFIGURATION : 1)
  }
  log(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exit(1)
}
