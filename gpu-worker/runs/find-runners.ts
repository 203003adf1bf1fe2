import type { CommandLine } from '../ports/command-runner.ts'
import type { TestRunnerName } from '../ports/test-suite.ts'
import { runnerKinds } from './kinds.ts'
import { findNodeTests, parseNodeScript } from './node-files.ts'
import { readManifest } from './package-manifest.ts'
import type { RunnerPlan } from './plan.ts'

/** The repository as a run will find it. */
export interface RunView {
  /** Paths of all files that git does not ignore, sorted. */
  readonly paths: readonly string[]
  /** Null for what is not there or cannot be read. */
  read(path: string): Promise<string | null>
  /** Also for what git ignores, and for links that lead out of the repository. */
  exists(path: string): Promise<boolean>
}

/** Half of what a job has. A test suite that takes longer is configured. */
export const TIMEOUT_MS_DEFAULT = 10 * 60 * 1000

/** Folders whose files only look like tests of this repository. */
const FOREIGN =
  /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|__fixtures__|testdata|site-packages|\.venv|venv|target|dist|build)\//

/** The test runners that a repository uses, by what it holds: the outermost folder of each. */
export async function findRunners(view: RunView): Promise<RunnerPlan[]> {
  const own = { ...view, paths: view.paths.filter((path) => !FOREIGN.test(path)) }
  const found = [await findPytest(own), await findScriptRunners(own), findGo(own), await findCargo(own)]
  return found.flat()
}

interface Found {
  readonly runner: TestRunnerName
  readonly folder: string
  readonly because: string
  readonly run: CommandLine
  readonly everything?: readonly string[]
  readonly testFiles?: readonly string[]
  readonly scratchFolders?: readonly string[]
}

function toPlan({ runner, folder, because, run, everything, testFiles, scratchFolders }: Found): RunnerPlan {
  const { files } = runnerKinds[runner]
  return {
    name: folder === '' ? runner : `${runner} in ${folder}`,
    runner,
    folder,
    because,
    run,
    everything: everything ?? [],
    testFiles: testFiles ?? null,
    takes: (path) => files.test(path) && isWithin(path, folder),
    timeoutMs: TIMEOUT_MS_DEFAULT,
    scratchFolders: scratchFolders ?? [],
  }
}

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const isWithin = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`)
const inFolder = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)
const named = (view: RunView, ...names: string[]): string[] => view.paths.filter((path) => names.includes(nameOf(path)))

/** Without the folders that lie in another one of the list. */
const outermost = (folders: readonly string[]): string[] => {
  const all = [...new Set(folders)]
  return all.filter((folder) => !all.some((other) => other !== folder && isWithin(folder, other)))
}

const PYTHON_TEST = /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/
const PYTHON_SETTINGS: Readonly<Record<string, RegExp>> = {
  'pytest.ini': /(?:)/,
  '.pytest.ini': /(?:)/,
  'pyproject.toml': /^\[tool\.pytest/m,
  'setup.cfg': /^\[tool:pytest\]/m,
  'tox.ini': /^\[pytest\]/m,
}

async function findPytest(view: RunView): Promise<RunnerPlan[]> {
  const signs = new Map<string, string>()
  for (const path of named(view, ...Object.keys(PYTHON_SETTINGS))) {
    if (PYTHON_SETTINGS[nameOf(path)]?.test((await view.read(path)) ?? '')) signs.set(folderOf(path), path)
  }
  const projects = outermost(named(view, 'pyproject.toml', 'setup.py', 'setup.cfg').map(folderOf))
  for (const test of view.paths.filter((path) => PYTHON_TEST.test(path))) {
    if ([...signs.keys()].some((folder) => isWithin(test, folder))) continue
    signs.set(projects.find((folder) => isWithin(test, folder)) ?? '', test)
  }
  const plans: RunnerPlan[] = []
  for (const folder of outermost([...signs.keys()])) {
    // Those at the top are on the search path already.
    const own = ['.venv', 'venv'].map((name) => inFolder(folder, `${name}/bin/python3`))
    const there = folder === '' ? undefined : await findFirst(view, own)
    const python = there === undefined ? 'python3' : `./${there.slice(folder.length + 1)}`
    // As a module it also finds the packages that lie in the folder it runs in.
    plans.push(toPlan({ runner: 'pytest', folder, because: signs.get(folder) ?? '', run: [python, '-m', 'pytest'] }))
  }
  return plans
}

async function findFirst(view: RunView, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await view.exists(path)) return path
  return undefined
}

/** vitest, jest and node:test, by the manifests of packages and by what test files import. */
async function findScriptRunners(view: RunView): Promise<RunnerPlan[]> {
  const plans: RunnerPlan[] = []
  const nodeTests = await findNodeTests(view)
  const scripts = new Map<string, CommandLine>()
  const signs: Record<'vitest' | 'jest', Map<string, string>> = { vitest: new Map(), jest: new Map() }
  for (const path of named(view, 'package.json')) {
    const manifest = readManifest((await view.read(path)) ?? '')
    if (manifest === null) continue
    for (const runner of ['vitest', 'jest'] as const) if (manifest.uses(runner)) signs[runner].set(folderOf(path), path)
    const script = parseNodeScript(manifest.testScript)
    if (script !== null) scripts.set(folderOf(path), script)
  }
  for (const path of view.paths) {
    const runner = /(?:^|\/)(vitest|jest)\.config\.[cm]?[jt]s(?:on)?$/.exec(path)?.[1] as 'vitest' | 'jest' | undefined
    if (runner !== undefined) signs[runner].set(folderOf(path), path)
  }
  for (const runner of ['vitest', 'jest'] as const) {
    for (const folder of outermost([...signs[runner].keys()])) {
      const because = signs[runner].get(folder) ?? ''
      const { program, flags, scratchFolders } = await findInstalled(view, runner, folder)
      plans.push(toPlan({ runner, folder, because, run: [program, ...flags], scratchFolders }))
    }
  }
  for (const [folder, [program, ...args]] of scripts) {
    const { options, patterns } = splitNodeArgs(args)
    const testFiles = nodeTests.filter((path) => isWithin(path, folder))
    const because = inFolder(folder, 'package.json')
    plans.push(toPlan({ runner: 'node', folder, because, run: [program, ...options], everything: patterns, testFiles }))
  }
  const others = nodeTests.filter((path) => ![...scripts.keys()].some((folder) => isWithin(path, folder)))
  if (others[0] === undefined) return plans
  const { limit } = runnerKinds.node
  // Named one by one: node would take the tests of other runners for its own.
  const everything = limit({ files: others, folders: [] })
  plans.push(
    toPlan({ runner: 'node', folder: '', because: others[0], run: ['node', '--test'], everything, testFiles: others }),
  )
  return plans
}

/** The program of a package manager's installation, nearest first, and what its version needs to run without writing. */
async function findInstalled(view: RunView, runner: 'vitest' | 'jest', folder: string) {
  const place = inFolder(folder, 'node_modules')
  const isOwn = folder !== '' && (await view.exists(`${place}/.bin/${runner}`))
  const program = isOwn ? `./node_modules/.bin/${runner}` : runner
  if (runner === 'jest') return { program, flags: [], scratchFolders: [] }
  const home = isOwn ? place : 'node_modules'
  const version = readManifest((await view.read(`${home}/vitest/package.json`)) ?? '')?.version ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  // Before 3.1 it cannot be told to load its configuration without writing it somewhere first.
  const isOld = version !== '' && (major < 3 || (major === 3 && minor < 1))
  if (isOld) return { program, flags: [], scratchFolders: [`${home}/.vite-temp`] }
  const flags = ['--configLoader=runner', ...(major >= 5 ? ['--no-fsModuleCache'] : [])]
  return { program, flags, scratchFolders: [] }
}

/** Options of node that take the next argument with them. */
const WITH_VALUE = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
  '--env-file',
  '--test-name-pattern',
])

/** The patterns of a command apart from the rest. */
function splitNodeArgs(args: readonly string[]): { options: string[]; patterns: string[] } {
  const options: string[] = []
  const patterns: string[] = []
  for (const [index, arg] of args.entries()) {
    const isValue = index > 0 && WITH_VALUE.has(args[index - 1] ?? '')
    if (arg.startsWith('-') || isValue) options.push(arg)
    else patterns.push(arg)
  }
  return { options, patterns }
}

/** Modules that hold tests. The `./...` of a module does not lead into the modules that lie in it. */
function findGo(view: RunView): RunnerPlan[] {
  const modules = named(view, 'go.mod').map(folderOf)
  const tests = view.paths.filter((path) => path.endsWith('_test.go'))
  const innermost = (path: string): string | undefined =>
    modules.filter((folder) => isWithin(path, folder)).sort((a, b) => b.length - a.length)[0]
  const used = new Set(tests.map(innermost).filter((folder) => folder !== undefined))
  return [...used].map((folder) =>
    toPlan({ runner: 'go', folder, because: inFolder(folder, 'go.mod'), run: ['go', 'test'], everything: ['./...'] }),
  )
}

/** Packages that lie in no other one, and workspaces. */
async function findCargo(view: RunView): Promise<RunnerPlan[]> {
  const manifests = named(view, 'Cargo.toml')
  const plans: RunnerPlan[] = []
  for (const folder of outermost(manifests.map(folderOf))) {
    const because = inFolder(folder, 'Cargo.toml')
    const isWorkspace = /^\s*\[workspace\]/m.test((await view.read(because)) ?? '')
    const run: CommandLine = ['cargo', 'test', ...(isWorkspace ? ['--workspace'] : [])]
    plans.push(toPlan({ runner: 'cargo', folder, because, run }))
  }
  return plans
}
