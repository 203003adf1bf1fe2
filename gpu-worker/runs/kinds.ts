import type { TestRunnerName } from '../ports/test-suite.ts'
import { readCargoText } from './cargo-text.ts'
import { readGoEvents } from './go-json.ts'
import { readJestReport } from './jest-json.ts'
import { readNodeReport } from './node-test.ts'
import { readPytestReport } from './pytest.ts'
import type { Reading, RunPlace } from './report.ts'

/** What a run is limited to: paths from the folder in which the runner runs, none of them empty. */
export interface RunPaths {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

export interface RunnerKind {
  /** Files that it may be asked to run. */
  readonly files: RegExp
  /** What makes it write a report. `report` stands for the path of the file. */
  readonly flags: (report: string) => readonly string[]
  /** Which argument the flags go before; behind all others where there is none such. */
  readonly flagsBefore?: string
  /** What limits it to some paths. No path becomes an option: each begins with `./`, or is part of a pattern. */
  readonly limit: (paths: RunPaths) => readonly string[]
  /** Where the report comes from: a file that the runner writes, its standard output, or all that it prints. */
  readonly reportFrom: 'file' | 'stdout' | 'output'
  readonly read: (report: string, place: RunPlace) => Reading
  /** The exit status that says that there was nothing to run. */
  readonly nothingRan?: number
  /** How the output of a run tells that the runner itself is not there. */
  readonly missing?: RegExp
  readonly install: string
}

const packages = 'Install the dependencies of the repository (npm ci)'
const orFolder = 'or name the folder that it is in with MILLWRIGHT_COMMAND_FOLDERS'

/** Everything that differs from runner to runner. */
export const runnerKinds: Readonly<Record<TestRunnerName, RunnerKind>> = {
  pytest: {
    files: /\.py$/,
    // The form xunit1 names files and lines. The repository is read-only: a cache in it would only be a warning.
    flags: (report) => ['-p', 'no:cacheprovider', '-o', 'junit_family=xunit1', `--junitxml=${report}`, '--color=no'],
    limit: dotted,
    reportFrom: 'file',
    read: readPytestReport,
    nothingRan: 5,
    missing: /No module named '?pytest\b/,
    install: `Install pytest for the Python that the repository uses: in its .venv, or on the system (apt install python3-pytest), ${orFolder}`,
  },
  vitest: {
    files: /\.[cm]?[jt]sx?$/,
    flags: (report) => [
      ...['--run', '--passWithNoTests', '--no-cache', '--coverage.enabled=false', '--includeTaskLocation'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ],
    limit: dotted,
    reportFrom: 'file',
    read: readJestReport,
    install: packages,
  },
  jest: {
    files: /\.[cm]?[jt]sx?$/,
    flags: (report) => [
      ...['--ci', '--passWithNoTests', '--coverage=false', '--watchman=false', '--testLocationInResults'],
      ...['--json', `--outputFile=${report}`],
    ],
    // It takes patterns, and matches them against whole paths.
    limit: ({ files, folders }) => [
      ...files.map((path) => `(^|/)${escaped(path)}$`),
      ...folders.map((path) => `(^|/)${escaped(path)}/`),
    ],
    reportFrom: 'file',
    read: readJestReport,
    install: packages,
  },
  node: {
    files: /\.[cm]?[jt]s$/,
    flags: (report) => [
      ...['--test-reporter=junit', `--test-reporter-destination=${report}`],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ],
    // Behind the first file everything is for the tests.
    flagsBefore: '--test',
    // It takes them for globs.
    limit: ({ files }) => files.map((path) => `./${path.replaceAll(/[[{}*?()!+@|\\]/g, '[$&]')}`),
    reportFrom: 'file',
    read: readNodeReport,
    install: `Install Node.js on the system, ${orFolder}`,
  },
  go: {
    files: /\.go$/,
    flags: () => ['-json'],
    // A file is compiled with its whole package.
    limit: ({ files, folders }) => [
      ...new Set([...files.map((path) => `./${parentOf(path)}`), ...folders.map((path) => `./${path}/...`)]),
    ],
    reportFrom: 'stdout',
    read: readGoEvents,
    install: `Install Go on the system (apt install golang-go), ${orFolder}`,
  },
  cargo: {
    files: /\.rs$/,
    flags: () => ['--no-fail-fast', '--color=never'],
    // Behind this everything is for the tests.
    flagsBefore: '--',
    limit: cargoTargets,
    reportFrom: 'output',
    read: readCargoText,
    install: `Install Rust on the system, ${orFolder}`,
  },
}

function dotted({ files, folders }: RunPaths): string[] {
  return [...files, ...folders].map((path) => `./${path}`)
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

const escaped = (path: string): string => path.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Cargo runs targets and not files: that of each file in `tests/`, and for all others those of the crate itself. */
function cargoTargets({ files, folders }: RunPaths): string[] {
  const targets = [...files, ...folders.map((folder) => `${folder}/`)].flatMap((path) => {
    if (path === 'tests/') return ['--test=*']
    const name = /^tests\/([^/]+?)(?:\.rs|\/.*)$/.exec(path)?.[1]
    return name === undefined ? ['--lib', '--bins'] : [`--test=${name}`]
  })
  return [...new Set(targets)]
}
