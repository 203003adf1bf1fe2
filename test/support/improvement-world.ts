import { join } from 'node:path'
import { createCommandRunner } from '#gpu-worker/adapters/command-runner.ts'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createDuplicationIndex } from '#gpu-worker/analysis/duplication.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { type Improvement, type ImprovementTask, improveFile } from '#gpu-worker/improvement/improve.ts'
import { createModelSet } from '#gpu-worker/inference/model-set.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { Registry } from '#gpu-worker/ports/registry.ts'
import { createTestSuite } from '#gpu-worker/runs/test-suite.ts'
import { visible } from '#gpu-worker/tools/files.ts'
import { toImprovementPorts } from '#gpu-worker/tools/improvement.ts'
import { KeyedLocks } from '#gpu-worker/workspace/locks.ts'
import { AppError } from '#shared/errors.ts'
import type { AgentId } from '#shared/ids.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import { findBubblewrapForTests } from './bubblewrap.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** A repository whose files can be improved: its own tests run, and all is real but the model, and the registry's answers. */
export interface ImprovementWorld {
  readonly repository: TempRepository
  readonly journal: SqliteJournal
  /** File keys and the agents that own them. */
  readonly owners: Map<string, string>
  improve(model: LanguageModel, request: ImprovementRequest): Promise<ImprovementOutcome>
  /** The refusal, and that no byte of the work tree and nothing that git shows has changed. */
  refusal(model: LanguageModel, request: ImprovementRequest): Promise<AppError>
  /** Brings back the files of the beginning, which nobody owns. */
  restore(): Promise<void>
  close(): Promise<void>
}

export type ImprovementRequest = Improvement & {
  readonly path: string
  /** An agent of this id that manages the file named here. */
  readonly agent?: { readonly id: string; readonly file: string }
  readonly endsJob?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: JobProgress) => void
}

/** Of a repository whose tests are those of node:test. */
export const manifest = '{ "name": "sample", "type": "module", "scripts": { "test": "node --test" } }\n'

export const JOB_ID = 'job_0123456789abcdefghjkmnpqrs'

/** `commandFolders` are shown to the repository's commands beside the system's own. */
export async function createImprovementWorld(
  files: Record<string, string>,
  commandFolders: readonly string[] = [],
): Promise<ImprovementWorld> {
  const world = await createTempRepository(files)
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
    commandFolders,
    isUnsandboxedAllowed: true,
    searchPath: process.env.PATH ?? '',
    environment: process.env,
    bubblewrap: 'binary' in bubblewrap ? bubblewrap.binary : undefined,
  })
  const checker = createFileChecker({ parser, settings, runner })
  const owners = new Map<string, string>()
  const registry: Registry = {
    claimJob: async () => ({ v: WIRE_VERSION, claim: 'settled' }),
    finishJob: async () => true,
    findOver: async () => [],
    async *listOwners() {},
    findOwners: async (keys) => new Map([...owners].filter(([key]) => keys.includes(key))),
  }
  const events = { job: () => {}, workspace: () => {}, onCancel: () => {}, onGap: () => {} }
  const improvementPorts = toImprovementPorts({
    ...{ files: tree, repository, journal, settings, parser, runner, checker, registry, events },
    models: createModelSet([]),
    duplication: createDuplicationIndex(parser),
    edits: new KeyedLocks(),
    tests: createTestSuite({
      files: tree,
      runner,
      settings,
      list: (signal) => visible({ files: tree, repository }, '', null, signal),
    }),
  })

  async function improve(model: LanguageModel, request: ImprovementRequest): Promise<ImprovementOutcome> {
    const { path, agent, endsJob = true, signal, onProgress, ...improvement } = request
    const task: ImprovementTask = {
      improvement,
      path,
      agent:
        agent === undefined
          ? null
          : { agent_id: agent.id as AgentId, managed_file: agent.file, system_prompt: 'You improve code', model: null },
      history: [],
      jobId: JOB_ID,
      endsJob,
    }
    const options = { signal: signal ?? new AbortController().signal, onProgress: onProgress ?? (() => {}) }
    return improveFile(task, { ...improvementPorts, model }, options)
  }

  /** What git shows of the work tree, untracked files with their bytes. */
  async function state(): Promise<string> {
    const untracked = (await world.git('ls-files', '--others', '-z')).split('\0').filter((path) => path !== '')
    const shown = untracked.map((path) => `${path}\n${world.read(path)}`)
    return [await world.git('status', '--porcelain'), await world.git('diff', 'HEAD'), ...shown].join('\n')
  }

  return {
    repository: world,
    journal,
    owners,
    improve,
    async refusal(model, request) {
      const before = await state()
      try {
        await improve(model, request)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        if ((await state()) !== before)
          throw new Error('A refused improvement changed the repository', { cause: error })
        return error
      }
      throw new Error('The improvement was not refused')
    },
    async restore() {
      owners.clear()
      await world.git('reset', '--quiet', '--hard')
      await world.git('clean', '--quiet', '--force', '-d')
    },
    async close() {
      await checker.close()
      journal.close()
      world.remove()
    },
  }
}
