import type { CommandLine } from '../ports/command-runner.ts'
import type { TestRunnerName } from '../ports/test-suite.ts'
import { type RunPaths, runnerKinds } from './kinds.ts'

/** How a test runner is run in this repository. */
export interface RunnerPlan {
  readonly name: string
  readonly runner: TestRunnerName
  /** The repository path of the folder that it runs in; empty for the top. */
  readonly folder: string
  /** What says that the repository uses it. */
  readonly because: string
  /** Without what asks for a report, and without what limits it. */
  readonly run: CommandLine
  /** What is put behind `run` for all tests: patterns, packages. */
  readonly everything: readonly string[]
  /** For a runner that takes no folders: the test files, as repository paths. Null where it finds them itself. */
  readonly testFiles: readonly string[] | null
  /** Whether it is the one for a file that a run is limited to. */
  readonly takes: (path: string) => boolean
  readonly timeoutMs: number
  readonly scratchFolders: readonly string[]
}

/** Text that stands for the report in a command line; see CommandRequest. */
export interface RunOptions {
  readonly paths: RunPaths | null
  readonly reportAs: string
}

/** The command that a person would type. */
export function commandOf(plan: RunnerPlan, paths: RunPaths | null): CommandLine {
  const [program, ...rest] = plan.run
  return [program, ...rest, ...(paths === null ? plan.everything : runnerKinds[plan.runner].limit(paths))]
}

/** The command that makes a report too, in the folder that it belongs in. */
export function commandLineOf(plan: RunnerPlan, { paths, reportAs }: RunOptions): CommandLine {
  const { flags, flagsBefore, reportFrom, limit } = runnerKinds[plan.runner]
  const own = plan.run.indexOf(flagsBefore ?? '')
  const at = own === -1 ? plan.run.length : own
  const tests = paths === null ? plan.everything : limit(paths)
  // What the runner is limited to belongs with the flags where what follows is for the tests.
  const isBeforeAll = plan.runner === 'cargo'
  const line = [
    ...plan.run.slice(0, at),
    ...flags(reportAs),
    ...(isBeforeAll ? tests : []),
    ...plan.run.slice(at),
    ...(isBeforeAll ? [] : tests),
  ]
  const redirection = { file: '', stdout: ' >"$report"', output: ' >"$report" 2>&1' }[reportFrom]
  const script = `cd "$1" && report=$2 && shift 2 && exec "$@"${redirection}`
  return ['/bin/sh', '-c', script, 'sh', plan.folder === '' ? '.' : `./${plan.folder}`, reportAs, ...line]
}

/**
 * What of a request a plan is to run: all (null), some paths, or nothing (undefined). `all` are the files of the repository:
 * a folder without one that the runner takes is none of its business.
 */
export function pathsFor(
  plan: RunnerPlan,
  paths: RequestPaths | null,
  all: readonly string[],
): RunPaths | null | undefined {
  if (paths === null) return null
  const within = (path: string): string | null => {
    if (plan.folder === '') return path
    return path.startsWith(`${plan.folder}/`) ? path.slice(plan.folder.length + 1) : null
  }
  const inside = (list: readonly string[]): string[] => list.map(within).filter((path) => path !== null)
  // Its folder itself, or one around it.
  if (paths.folders.some((folder) => plan.folder === folder || plan.folder.startsWith(`${folder}/`))) return null
  const files = inside(paths.files.filter(plan.takes))
  const folders = inside(
    paths.folders.filter((folder) => all.some((path) => path.startsWith(`${folder}/`) && plan.takes(path))),
  )
  if (plan.testFiles === null) return files.length + folders.length === 0 ? undefined : { files, folders }
  const isAsked = (file: string): boolean => paths.folders.some((folder) => file.startsWith(`${folder}/`))
  const asked = [...new Set([...files, ...inside(plan.testFiles.filter(isAsked))])]
  return asked.length === 0 ? undefined : { files: asked, folders: [] }
}

/** Repository paths, told apart. */
export interface RequestPaths {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}
