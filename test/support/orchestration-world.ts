import { join } from 'node:path'
import type { NatsConnection, RequestOptions } from '@nats-io/transport-node'
import * as v from 'valibot'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { sha256Hex } from '#functions/crypto.ts'
import { createRegistryService } from '#functions/jobs/registry-service.ts'
import type { JobBus } from '#functions/ports/job-bus.ts'
import type { Registry } from '#functions/ports/registry.ts'
import { createSqlRegistry } from '#functions/registry/sql-registry.ts'
import { createCommandRunner } from '#gpu-worker/adapters/command-runner.ts'
import { createNatsRegistry } from '#gpu-worker/adapters/nats-registry.ts'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createDuplicationIndex } from '#gpu-worker/analysis/duplication.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { createModelSet } from '#gpu-worker/inference/model-set.ts'
import { createImproveStep } from '#gpu-worker/orchestration/improve-step.ts'
import { type OrchestrateRequest, orchestrate } from '#gpu-worker/orchestration/orchestrate.ts'
import type { ClaimedJob } from '#gpu-worker/ports/job-agents.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { createTestSuite } from '#gpu-worker/runs/test-suite.ts'
import { visible } from '#gpu-worker/tools/files.ts'
import { toImprovementPorts } from '#gpu-worker/tools/improvement.ts'
import { KeyedLocks } from '#gpu-worker/workspace/locks.ts'
import { AppError } from '#shared/errors.ts'
import { AgentId, createJobId, toWorkspaceId, WorkspaceId } from '#shared/ids.ts'
import { NONCE_HEADER } from '#shared/protocol/signature.ts'
import type { RegistryOperation } from '#shared/protocol/subjects.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { OrchestrationReport } from '#shared/schemas/orchestration.ts'
import { findBubblewrapForTests } from './bubblewrap.ts'
import { testMachine, testSigner } from './edge-key.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

export interface RunChoices extends Partial<Omit<OrchestrateRequest, 'job'>> {
  /** A job of before; a new one where left out. */
  readonly job?: ClaimedJob
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: JobProgress) => void
  readonly stepsAtOnce?: number
  /** Left out: the time. */
  readonly now?: () => number
}

/** Whose claims the jobs are under. */
const WORKER = 'worker'

/**
 * A repository to improve, and the registry of its agents: all is real, the sandbox and the tests included, but for the model, and
 * for the network between the two, which is left out.
 */
export interface OrchestrationWorld {
  readonly repository: TempRepository
  readonly registry: Registry
  readonly journal: SqliteJournal
  /** A job that runs here. */
  startJob(): Promise<ClaimedJob>
  /** The same job in the hands of a worker that was started again. */
  claimAgain(job: ClaimedJob): Promise<ClaimedJob>
  own(agentId: string, path: string): Promise<void>
  disown(agentId: string): Promise<void>
  agents(): Promise<string[]>
  run(model: LanguageModel, choices?: RunChoices): Promise<OrchestrationReport>
  /** Of a run that must be refused. */
  refusal(model: LanguageModel, choices?: RunChoices): Promise<AppError>
  /** Paths that differ from the last commit. */
  changed(): Promise<string[]>
  close(): Promise<void>
}

export async function createOrchestrationWorld(files: Record<string, string>): Promise<OrchestrationWorld> {
  const world = await createTempRepository(files)
  const workspace = toWorkspaceId('orchestrated')
  const sqlite = openSqlite(join(world.folder, 'registry.sqlite'))
  const registry = createSqlRegistry(sqlite, { now: Date.now }, { info: () => undefined, error: () => undefined })
  const service = createRegistryService({ registry, bus: silentBus })
  const wire = {
    request: async (subject: string, question: Uint8Array, options?: RequestOptions) => {
      const [, name, , operation] = subject.split('.')
      const body = await service(v.parse(WorkspaceId, name), operation as RegistryOperation, question, WORKER)
      const asked = `${options?.headers?.get(NONCE_HEADER)} ${await sha256Hex(question)}`
      const signed = await signedHeaders(testSigner, { purpose: 'answer', subject, body, question: asked })
      return { data: body, headers: signed }
    },
  }
  const workerRegistry = createNatsRegistry(wire as unknown as NatsConnection, workspace, await testMachine(workspace))
  const tree = await createNodeFileTree({ root: world.root })
  const repository = await openRepository({ root: world.root })
  const journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  const settings = createSettingsSource(tree)
  const parser = createTreeSitterParser()
  const bubblewrap = await findBubblewrapForTests()
  const runner = await createCommandRunner({
    root: world.root,
    allowProtected: [],
    dataFolder: join(world.folder, 'data'),
    hiddenFolders: [],
    commandFolders: [],
    isUnsandboxedAllowed: true,
    searchPath: process.env.PATH ?? '',
    environment: process.env,
    bubblewrap: 'binary' in bubblewrap ? bubblewrap.binary : undefined,
  })
  const checker = createFileChecker({ parser, settings, runner })
  const events = { job: () => {}, workspace: () => {}, onCancel: () => {}, onGap: () => {} }
  const tests = createTestSuite({
    files: tree,
    runner,
    settings,
    list: (signal) => visible({ files: tree, repository }, '', null, signal),
  })
  const duplication = createDuplicationIndex(parser)
  const common = { files: tree, repository, journal, settings, parser, runner, checker, tests, events, duplication }

  async function run(model: LanguageModel, choices: RunChoices = {}): Promise<OrchestrationReport> {
    const { job = await startJob(), signal, onProgress, stepsAtOnce = 1, now = Date.now, ...more } = choices
    const models = createModelSet([model])
    const ports = toImprovementPorts({ ...common, models, registry: workerRegistry, edits: new KeyedLocks() })
    const budget = { iterations: 20, minutes: 30, tokens: null }
    const request = { job, goal: null, paths: null, budget, keepAgents: false, commit: false, ...more }
    const improve = createImproveStep(ports)
    return orchestrate(
      request,
      { ...ports, journal, agents: workerRegistry, improve, stepsAtOnce, now },
      { signal: signal ?? new AbortController().signal, onProgress: onProgress ?? (() => {}) },
    )
  }

  async function claim(jobId: ClaimedJob['jobId']): Promise<ClaimedJob> {
    const reply = await registry.claimJob(workspace, jobId, WORKER)
    if (reply.claim !== 'run') throw new Error(`The job cannot be claimed: ${reply.claim}`)
    return { jobId, fence: reply.fence }
  }

  async function startJob(): Promise<ClaimedJob> {
    const { record } = await registry.createJob(workspace, {
      job_id: createJobId(Date.now()),
      tool: 'orchestrate_improvement',
      agent_id: null,
      caller: { subject: 'owner' },
      args: {},
      params_hash: 'hash',
      idempotency_key: null,
      call_key: null,
      accepts: null,
      deadline: Date.now() + 600_000,
    })
    return claim(record.job.job_id)
  }

  return {
    repository: world,
    registry,
    journal,
    startJob,
    claimAgain: ({ jobId }) => claim(jobId),
    async own(agentId, path) {
      const { key } = await tree.resolve(path, 'write')
      const agent = { name: agentId, managed_file: path, file_key: key, system_prompt: 'Yours', model: null }
      await registry.createAgent(workspace, { ...agent, agent_id: v.parse(AgentId, agentId), description: null })
    },
    async disown(agentId) {
      await registry.deleteAgent(workspace, v.parse(AgentId, agentId))
    },
    agents: async () =>
      (await registry.listAgents(workspace, { query: null, cursor: null, limit: 100 })).items.map(
        ({ agent_id }) => agent_id,
      ),
    run,
    async refusal(model, choices) {
      try {
        await run(model, choices)
      } catch (error) {
        if (error instanceof AppError) return error
        throw error
      }
      throw new Error('The run was not refused')
    },
    changed: async () =>
      (await world.git('status', '--porcelain', '--untracked-files=all'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.slice(3))
        .sort(),
    async close() {
      await checker.close()
      journal.close()
      sqlite.close()
      world.remove()
    },
  }
}

/** Nobody listens. */
const silentBus: JobBus = {
  publish: async () => {},
  requestCancel: () => {},
  announce: () => {},
  watch: async () => () => {},
  watchWorkspace: async () => () => {},
  progress: async () => null,
  ping: async () => true,
}
