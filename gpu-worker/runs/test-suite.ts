import { randomUUID } from 'node:crypto'
import { AppError } from '#shared/errors.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { SETTINGS_PATH } from '../gates/settings.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { Candidate, CommandRunner } from '../ports/command-runner.ts'
import type { FileEntry, FileTree } from '../ports/file-tree.ts'
import type {
  FoundRunner,
  RunnerResult,
  TestCounts,
  TestFailure,
  TestRun,
  TestRunRequest,
  TestSuite,
} from '../ports/test-suite.ts'
import { cutMiddle, decodeText } from '../workspace/text.ts'
import { findRunners } from './find-runners.ts'
import { findVitestNeeds } from './find-script-runners.ts'
import { type RunPaths, runnerKinds } from './kinds.ts'
import { findNodeTests } from './node-files.ts'
import { commandLineOf, commandOf, pathsFor, type RequestPaths, type RunnerPlan } from './plan.ts'
import type { ReportedTest } from './report.ts'
import type { RunView } from './run-view.ts'
import { judgeRun } from './verdict.ts'

export interface TestSuitePorts {
  readonly files: FileTree
  readonly runner: CommandRunner
  readonly settings: SettingsSource
  /** All files of the repository that git does not ignore. */
  readonly list: (signal: AbortSignal) => AsyncIterable<FileEntry>
}

/** Looked at to find tests: more than any repository of one team holds, and a bound for one that was made to be large. */
const FILES_MAX = 100_000
/** Manifests and test files; what is larger is neither. */
const READ_BYTES_MAX = 1024 * 1024
/** Found in one repository. Those that a person names are bounded by the configuration. */
const RUNNERS_MAX = 20
/** Told one by one, with their messages. */
const FAILURES_MAX = 50
/** To be compared with those of another run. */
const TESTS_MAX = 20_000
const OUTPUT_HEAD = 2000
const OUTPUT_TAIL = 4000
/** A caller hears that a run goes on. */
const PROGRESS_MS = 5000

/** The tests of a repository through its own test runners. */
export function createTestSuite(ports: TestSuitePorts): TestSuite {
  const { runner } = ports

  async function plansOf(view: RunView): Promise<RunnerPlan[]> {
    const { settings, fault } = await ports.settings()
    if (fault !== null) throw new AppError('unavailable', fault, { hint: `A person mends ${SETTINGS_PATH}` })
    if (settings.tests.length === 0) return refuseMany(await findRunners(view))
    const nodeTests = settings.tests.some((each) => each.runner === 'node') ? await findNodeTests(view) : []
    const vitest = await findVitestNeeds(view, 'node_modules')
    return settings.tests.map(({ name, runner: kind, run, matches, timeoutMs, scratchFolders }) => {
      const needs = kind === 'vitest' ? vitest : { flags: [], scratchFolders: [] }
      return {
        ...{
          name,
          runner: kind,
          folder: '',
          because: SETTINGS_PATH,
          run,
          flags: needs.flags,
          everything: [],
          timeoutMs,
        },
        scratchFolders: [...scratchFolders, ...needs.scratchFolders],
        testFiles: kind === 'node' ? nodeTests.filter(matches) : null,
        takes: (path) => runnerKinds[kind].files.test(path) && matches(path),
      }
    })
  }

  async function obstacleOf(plan: RunnerPlan): Promise<string | null> {
    const [program] = plan.run
    const place = program.startsWith('./') && plan.folder !== '' ? `${plan.folder}/${program.slice(2)}` : program
    const obstacle = await runner.obstacle([place])
    if (obstacle === null) return null
    // Where nothing can run at all, installing the runner would not help.
    return (await runner.obstacle(['/bin/sh'])) ?? `${obstacle}. ${runnerKinds[plan.runner].install}`
  }

  async function runOne(
    { plan, paths }: Asked,
    view: RunView,
    candidates: readonly Candidate[],
    signal: AbortSignal,
  ): Promise<RunnerResult & { readonly tests: readonly ReportedTest[] }> {
    const { name, runner: kind, timeoutMs, scratchFolders } = plan
    const obstacle = await obstacleOf(plan)
    if (obstacle !== null) throw new AppError('unavailable', `Cannot run the tests of ${name}`, { hint: obstacle })
    const reportAs = `report-${randomUUID()}`
    const commandLine = commandLineOf(plan, { paths, reportAs })
    const begin = Date.now()
    const outcome = await runner.run({ commandLine, candidates, scratchFolders, timeoutMs, reportAs }, signal)
    const duration_ms = Date.now() - begin
    const { tests, output } = judgeRun(plan, outcome, view.paths)
    return { name, runner: kind, command: commandOf(plan, paths), ...countsOf(tests), duration_ms, output, tests }
  }

  return {
    async find(signal = new AbortController().signal) {
      const plans = await plansOf(await createRunView(ports, [], signal))
      const found: FoundRunner[] = []
      for (const plan of plans) {
        const { name, runner: kind, folder, because } = plan
        found.push({ name, runner: kind, folder, because, obstacle: await obstacleOf(plan) })
      }
      return found
    },

    async run({ paths, candidates }, signal, onProgress = () => undefined) {
      const view = await createRunView(ports, candidates, signal)
      const asked = choose(await plansOf(view), await toRequestPaths(view, paths), view.paths)
      const results: Awaited<ReturnType<typeof runOne>>[] = []
      for (const [index, each] of asked.entries()) {
        const result = await whileTelling(
          (seconds) => progressOf(each.plan, index, asked.length, seconds),
          onProgress,
          () => runOne(each, view, candidates, signal),
        )
        results.push(result)
      }
      return toRun(results, runner.isSandboxed)
    },
  }
}

interface Asked {
  readonly plan: RunnerPlan
  readonly paths: RunPaths | null
}

/** The repository with the candidates in their places. */
async function createRunView(
  { files, list }: TestSuitePorts,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<RunView> {
  const paths = new Set<string>(candidates.map(({ path }) => path))
  try {
    for await (const { path, kind } of list(signal)) {
      if (signal.aborted) break
      if (kind === 'file') paths.add(path)
      if (paths.size === FILES_MAX) break
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  if (signal.aborted) throw new AppError('cancelled', 'Cannot look for tests: the call was cancelled')
  return {
    paths: [...paths].sort(),
    async read(path) {
      const candidate = candidates.find((each) => each.path === path)
      if (candidate !== undefined) return candidate.text
      try {
        return decodeText(path, (await files.read(path, READ_BYTES_MAX)).bytes)
      } catch (error) {
        if (error instanceof AppError) return null
        throw error
      }
    },
    async exists(path) {
      try {
        return (await files.resolve(path, 'read')).exists
      } catch (error) {
        // It is there, as a link to what is installed elsewhere.
        return error instanceof AppError && error.code === 'outside_repository'
      }
    },
  }
}

/** Which of the paths are files and which folders. Throws `not_found` for one that is neither. */
async function toRequestPaths(view: RunView, paths: TestRunRequest['paths']): Promise<RequestPaths | null> {
  if (paths === null) return null
  const request: { files: string[]; folders: string[] } = { files: [], folders: [] }
  for (const path of paths) {
    if (view.paths.includes(path)) request.files.push(path)
    else if (view.paths.some((each) => each.startsWith(`${path}/`))) request.folders.push(path)
    else {
      throw new AppError('not_found', `Cannot run the tests: there is no file or folder "${path}"`, {
        hint: 'list_files shows what is there; files that git ignores are not run by name',
      })
    }
  }
  return request
}

function choose(plans: readonly RunnerPlan[], paths: RequestPaths | null, all: readonly string[]): Asked[] {
  if (plans.length === 0)
    throw new AppError('not_found', 'Cannot run the tests: no test runner was found', { hint: CONFIGURE })
  const asked = plans.flatMap((plan) => {
    const own = pathsFor(plan, paths, all)
    return own === undefined ? [] : [{ plan, paths: own }]
  })
  if (asked.length > 0) return asked
  const names = plans.map(({ name }) => name).join(', ')
  throw new AppError('not_found', `Cannot run the tests: none of these paths is for ${names}`, {
    hint: 'Give test files, or folders that hold some',
  })
}

function refuseMany(plans: RunnerPlan[]): RunnerPlan[] {
  if (plans.length <= RUNNERS_MAX) return plans
  throw new AppError(
    'too_large',
    `Cannot run the tests: ${plans.length} test runners were found, limit ${RUNNERS_MAX}`,
    {
      hint: `A person names those that count under tests in ${SETTINGS_PATH}`,
    },
  )
}

const CONFIGURE = `Add tests for pytest, vitest, jest, node:test, go or cargo, or have a person name them under tests in ${SETTINGS_PATH}`

const progressOf = ({ name }: RunnerPlan, index: number, all: number, seconds: number): JobProgress => ({
  phase: 'checking',
  round: index + 1,
  tokens: 0,
  message: `Running ${name}${all === 1 ? '' : ` (${index + 1} of ${all})`}${seconds === 0 ? '' : `, ${seconds} s`}`,
})

async function whileTelling<T>(
  tell: (seconds: number) => JobProgress,
  onProgress: (progress: JobProgress) => void,
  work: () => Promise<T>,
): Promise<T> {
  const begin = Date.now()
  onProgress(tell(0))
  const timer = setInterval(() => onProgress(tell(Math.round((Date.now() - begin) / 1000))), PROGRESS_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

function countsOf(tests: readonly ReportedTest[]): TestCounts {
  const count = (wanted: ReportedTest['outcome']): number => tests.filter(({ outcome }) => outcome === wanted).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

function toRun(
  results: readonly (RunnerResult & { readonly tests: readonly ReportedTest[] })[],
  sandboxed: boolean,
): TestRun {
  const prefixOf = (name: string): string => (results.length === 1 ? '' : `${name}: `)
  const all = results.flatMap(({ name, tests }) =>
    tests.map((test) => ({ ...test, name: `${prefixOf(name)}${test.name}` })),
  )
  const counts = countsOf(all)
  if (counts.passed + counts.failed === 0) throw nothingRan(results, counts)
  const failures: TestFailure[] = []
  for (const { name, failure } of all) {
    if (failure !== null && failures.length < FAILURES_MAX) failures.push({ name, ...failure() })
  }
  return {
    ...counts,
    runners: results.map(({ tests: _tests, ...result }) => result),
    failures,
    tests: all.slice(0, TESTS_MAX).map(({ name, outcome }) => ({ name, outcome })),
    tests_left_out: Math.max(0, all.length - TESTS_MAX),
    duration_ms: results.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
    output: joinOutputs(results),
    sandboxed,
  }
}

function nothingRan(results: readonly RunnerResult[], { skipped }: TestCounts): AppError {
  const names = results.map(({ name }) => name).join(', ')
  const why = skipped === 0 ? 'found no test' : `skipped all ${skipped} tests`
  return new AppError('not_found', `Cannot tell whether the tests pass: ${names} ${why}`, {
    hint: 'Give other paths, or write tests first',
    details: { runners: results.map(({ name, skipped: own, output }) => ({ name, skipped: own, output })) },
  })
}

function joinOutputs(results: readonly RunnerResult[]): string {
  const [first] = results
  if (results.length === 1 && first !== undefined) return first.output
  const text = results.map(({ name, output }) => `== ${name} ==\n${output.trimEnd()}\n`).join('\n')
  return cutMiddle(text, OUTPUT_HEAD, OUTPUT_TAIL)
}
