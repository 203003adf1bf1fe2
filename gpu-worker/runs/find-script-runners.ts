import type { CommandLine } from '../ports/command-runner.ts'
import { folderOf, inFolder, isWithin, nearestOf, outermost } from './folders.ts'
import { toPlan } from './found-plan.ts'
import { runnerKinds } from './kinds.ts'
import { findNodeTests, parseNodeScript } from './node-files.ts'
import { readManifest } from './package-manifest.ts'
import type { RunnerPlan } from './plan.ts'
import { named, type RunView } from './run-view.ts'

/** vitest, jest and node:test, by the manifests of packages and by what test files import. */
export async function findScriptRunners(view: RunView): Promise<RunnerPlan[]> {
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
    for (const folder of outermost(signs[runner].keys())) {
      const because = signs[runner].get(folder) ?? ''
      const place = inFolder(folder, 'node_modules')
      const isOwn = folder !== '' && (await view.exists(`${place}/.bin/${runner}`))
      const program = isOwn ? `./node_modules/.bin/${runner}` : runner
      const needs = runner === 'vitest' ? await findVitestNeeds(view, isOwn ? place : 'node_modules') : {}
      plans.push(toPlan({ runner, folder, because, run: [program], ...needs }))
    }
  }
  const whole = new Set(
    [...scripts].filter(([, [, ...args]]) => splitNodeArgs(args).patterns.length === 0).map(([folder]) => folder),
  )
  for (const [folder, [program, ...args]] of scripts) {
    // Without patterns node runs what lies in inner packages as well.
    if (folder !== '' && nearestOf(folder, whole) !== undefined) continue
    const { options, patterns } = splitNodeArgs(args)
    const testFiles = nodeTests.filter((path) => isWithin(path, folder))
    const because = inFolder(folder, 'package.json')
    plans.push(toPlan({ runner: 'node', folder, because, run: [program, ...options], everything: patterns, testFiles }))
  }
  const others = nodeTests.filter((path) => nearestOf(path, scripts) === undefined)
  if (others[0] === undefined) return plans
  const { limit } = runnerKinds.node
  // Named one by one: node would take the tests of other runners for its own.
  const everything = limit({ files: others, folders: [] })
  plans.push(
    toPlan({ runner: 'node', folder: '', because: others[0], run: ['node', '--test'], everything, testFiles: others }),
  )
  return plans
}

/** What the version of vitest that is installed in a `node_modules` needs to run without writing there. */
export async function findVitestNeeds(
  view: RunView,
  place: string,
): Promise<{ readonly flags: readonly string[]; readonly scratchFolders: readonly string[] }> {
  const version = readManifest((await view.read(`${place}/vitest/package.json`)) ?? '')?.version ?? ''
  const [major = 0, minor = 0] = version === '' ? [Number.POSITIVE_INFINITY] : version.split('.').map(Number)
  // Before 3.1 it cannot be told to load its configuration without writing it somewhere first.
  if (major < 3 || (major === 3 && minor < 1)) return { flags: [], scratchFolders: [`${place}/.vite-temp`] }
  // From 5 on it keeps what it has compiled unless told.
  return { flags: ['--configLoader=runner', ...(major >= 5 ? ['--fsModuleCache=false'] : [])], scratchFolders: [] }
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
