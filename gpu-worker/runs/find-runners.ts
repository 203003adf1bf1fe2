import type { CommandLine } from '../ports/command-runner.ts'
import { findScriptRunners } from './find-script-runners.ts'
import { folderOf, inFolder, nameOf, nearestOf, outermost } from './folders.ts'
import { toPlan } from './found-plan.ts'
import type { RunnerPlan } from './plan.ts'
import { named, type RunView } from './run-view.ts'

/** Folders whose files only look like tests of this repository. */
const FOREIGN =
  /(?:^|\/)(?:node_modules|vendor|third_party|fixtures|__fixtures__|testdata|site-packages|\.venv|venv|target|dist|build)\//

/** The test runners that a repository uses, by what it holds: the outermost folder of each. */
export async function findRunners(view: RunView): Promise<RunnerPlan[]> {
  const own = { ...view, paths: view.paths.filter((path) => !FOREIGN.test(path)) }
  const found = [await findPytest(own), await findScriptRunners(own), findGo(own), await findCargo(own)]
  return found.flat()
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
  const projects = new Set(outermost(named(view, 'pyproject.toml', 'setup.py', 'setup.cfg').map(folderOf)))
  for (const test of view.paths.filter((path) => PYTHON_TEST.test(path))) {
    if (nearestOf(test, signs) === undefined) signs.set(nearestOf(test, projects) ?? '', test)
  }
  const plans: RunnerPlan[] = []
  for (const folder of outermost(signs.keys())) {
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

/** Modules that hold tests. The `./...` of a module does not lead into the modules that lie in it. */
function findGo(view: RunView): RunnerPlan[] {
  const modules = new Set(named(view, 'go.mod').map(folderOf))
  const tests = view.paths.filter((path) => path.endsWith('_test.go'))
  const used = new Set(tests.map((path) => nearestOf(path, modules)).filter((folder) => folder !== undefined))
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
