// node scripts/run.mjs COMMAND [ARGUMENT...]: makes sure that everything is there, then runs the command with a
// current Node; `setup` does the first alone. Plain JavaScript, so that Node 20 can run it before anything is installed.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { projectFolder } from './setup/paths.mjs'
import { say } from './setup/progress.mjs'
import { setUp } from './setup/setup.mjs'
import { SetupError } from './setup/setup-error.mjs'
import { nodeOptionsFor } from './setup/versions.mjs'

/** Programs of our own, by command. */
const programs = new Map([
  ['start', { file: 'scripts/start.ts', natsServer: true }],
  ['edge', { file: 'scripts/edge.ts', natsServer: true }],
  ['deploy', { file: 'scripts/deploy.ts', natsServer: false }],
  ['nats', { file: 'scripts/nats.ts', natsServer: true }],
  ['functions', { file: 'functions/entry.node.ts', natsServer: false }],
  ['worker', { file: 'gpu-worker/main.ts', natsServer: false }],
  ['keys', { file: 'scripts/keys.ts', natsServer: false }],
  ['bridge', { file: 'scripts/bridge.ts', natsServer: false }],
  ['demo', { file: 'scripts/demo.ts', natsServer: true }],
  ['init', { file: 'scripts/init.ts', natsServer: false }],
  ['validate', { file: 'scripts/validate.ts', natsServer: false }],
  ['show:improvement', { file: 'scripts/show-improvement.ts', natsServer: true }],
  ['bench', { file: 'scripts/bench/main.ts', natsServer: true }],
  ['conformance', { file: 'test/conformance/main.ts', natsServer: true }],
  ['acceptance', { file: 'scripts/acceptance/main.ts', natsServer: true }],
  ['bench:peer', { file: 'scripts/bench/peers/main.ts', natsServer: false }],
])

/** Programs that never run a command of a repository. */
const withoutCommands = new Set(['nats', 'functions', 'keys', 'init', 'validate', 'deploy', 'bridge'])

/** Programs that serve the page, or upload it. */
const withPage = new Set([
  'setup',
  'start',
  'edge',
  'deploy',
  'functions',
  'demo',
  'conformance',
  'bench',
  'test',
  'test:browser',
  'acceptance',
])

/** Programs that open the page in a browser. */
const withBrowser = new Set(['test:browser', 'acceptance'])

/** Commands that are no program of ours. */
const ownCommands = ['setup', 'check', 'test', 'test:browser']

/** What `check` runs, in order: what is shown, the package, its program, its arguments. */
const checks = [
  { label: 'tsc --noEmit', packageName: 'typescript', program: 'tsc', args: ['--noEmit'] },
  { label: 'tsc --noEmit, page', packageName: 'typescript', program: 'tsc', args: ['--noEmit', '-p', 'web'] },
  { label: 'biome check', packageName: '@biomejs/biome', program: 'biome', args: ['check'] },
  {
    label: 'depcruise',
    packageName: 'dependency-cruiser',
    program: 'depcruise',
    args: ['shared', 'functions', 'gpu-worker', 'web', 'scripts', 'test'],
  },
  { label: 'knip', packageName: 'knip', program: 'knip', args: [] },
]

/** @typedef {{ node: string, env: NodeJS.ProcessEnv }} Runtime */

const [command = '', ...args] = process.argv.slice(2)
try {
  process.exitCode = await main(command, args)
} catch (error) {
  say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error))
  if (command === 'test') console.log('0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<number>} the exit status
 */
async function main(command, args) {
  const program = programs.get(command)
  if (program === undefined && !ownCommands.includes(command)) {
    throw new SetupError(`Cannot run "${command}": no such command`, [
      `Commands: ${[...programs.keys(), ...ownCommands].join(', ')}`,
    ])
  }
  const { node, natsServer, bubblewrap, chromium } = await setUp({
    natsServer: program?.natsServer ?? command !== 'check',
    page: withPage.has(command),
    // Arguments of `test` choose among the tests without a browser.
    chromium: withBrowser.has(command) || (command === 'test' && args.length === 0),
    bubblewrap: command === 'setup' ? 'again' : command === 'check' || withoutCommands.has(command) ? 'no' : 'once',
  })
  if (command === 'setup') {
    say(`Ready: Node ${node.version}, ${natsServer}, ${bubblewrap ?? 'no bubblewrap'}`)
    return 0
  }
  const nodeOptions = [process.env.NODE_OPTIONS ?? '', ...nodeOptionsFor(node.version)].join(' ').trim()
  const runtime = {
    node: node.path,
    env: {
      ...process.env,
      NODE_OPTIONS: nodeOptions,
      // What one of our processes has compiled, the next one loads. Goes when the packages are installed anew.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(projectFolder, 'node_modules', '.cache', 'compiled'),
      // Whatever a program starts as "node" shall be this Node.
      PATH: `${dirname(node.path)}${delimiter}${process.env.PATH ?? ''}`,
      ...(natsServer === undefined ? {} : { MILLWRIGHT_NATS_SERVER: natsServer }),
      ...(bubblewrap === undefined ? {} : { MILLWRIGHT_BWRAP: bubblewrap }),
      ...chromiumVariable(chromium),
    },
  }
  if (program !== undefined) {
    return runNode(runtime, join(projectFolder, program.file), args, { channel: true })
  }
  if (command === 'check') return runChecks(runtime)
  return command === 'test' ? runTests(runtime, args) : runBrowserTests(runtime, args)
}

/**
 * Where the browser is, or why there is none: the tests that need it are then skipped with that reason.
 * @param {import('./setup/chromium.mjs').Chromium | undefined} chromium
 * @returns {NodeJS.ProcessEnv}
 */
function chromiumVariable(chromium) {
  if (chromium === undefined) return {}
  return 'path' in chromium ? { MILLWRIGHT_CHROMIUM: chromium.path } : { MILLWRIGHT_CHROMIUM_MISSING: chromium.missing }
}

/**
 * @param {Runtime} runtime
 * @returns {Promise<number>} the status of the first check that failed, or 0
 */
async function runChecks(runtime) {
  for (const { label, packageName, program, args } of checks) {
    const started = Date.now()
    const status = await runNode(runtime, packageProgram(packageName, program), args, { cwd: projectFolder })
    const seconds = ((Date.now() - started) / 1000).toFixed(1)
    if (status !== 0) {
      say(`check failed: ${label} (exit status ${status}, ${seconds} s)`)
      return status
    }
    say(`check: ${label}: ok (${seconds} s)`)
  }
  return 0
}

/**
 * The checks, then every test once, those in a browser last. The last line of the output is the count of all, whatever else
 * is printed: the reporters hand their counts over in files, and they are shown when the test runners have ended.
 * @param {Runtime} runtime
 * @param {string[]} args for vitest; with any, the tests in a browser are left out
 * @returns {Promise<number>}
 */
async function runTests(runtime, args) {
  const checksStatus = await runChecks(runtime)
  const reporter = join(projectFolder, 'scripts', 'summary-reporter.ts')
  const flags = ['run', '--reporter=default', `--reporter=${reporter}`]
  const runs = [
    await counted(runtime, (each) =>
      runNode(each, packageProgram('vitest', 'vitest'), [...flags, ...args], { cwd: projectFolder }),
    ),
    ...(args.length === 0 ? [await counted(runtime, (each) => runBrowserTests(each, []))] : []),
  ]
  const missing = runtime.env.MILLWRIGHT_CHROMIUM_MISSING
  if (missing !== undefined) say(`the tests of the page were skipped: ${missing}`)
  const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ kind) => runs.reduce((total, run) => total + run[kind], 0)
  const failed = sum('failed') + (checksStatus === 0 ? 0 : 1)
  console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`)
  return failed === 0 ? 0 : (runs.find(({ status }) => status !== 0)?.status ?? 1)
}

/**
 * @param {Runtime} runtime
 * @param {string[]} args for Playwright
 * @returns {Promise<number>}
 */
function runBrowserTests(runtime, args) {
  const config = join(projectFolder, 'test', 'browser', 'playwright.config.ts')
  return runNode(runtime, packageProgram('@playwright/test', 'playwright'), ['test', '--config', config, ...args], {
    cwd: projectFolder,
  })
}

/**
 * What a test runner has counted. One that ended badly without naming a failed test has failed itself.
 * @param {Runtime} runtime
 * @param {(runtime: Runtime) => Promise<number>} run
 */
async function counted(runtime, run) {
  const folder = mkdtempSync(join(temporaryFolder(), 'millwright-test-'))
  try {
    const summary = join(folder, 'summary.json')
    const status = await run({ ...runtime, env: { ...runtime.env, MILLWRIGHT_TEST_SUMMARY: summary } })
    const counts = readCounts(summary)
    return { ...counts, status, failed: counts.failed + (status !== 0 && counts.failed === 0 ? 1 : 0) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function temporaryFolder() {
  mkdirSync(tmpdir(), { recursive: true })
  return tmpdir()
}

/** @param {string} file */
function readCounts(file) {
  try {
    const { passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8'))
    return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/**
 * The file of a program that an installed package offers.
 * @param {string} packageName
 * @param {string} program
 */
function packageProgram(packageName, program) {
  const folder = join(projectFolder, 'node_modules', ...packageName.split('/'))
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[program])
}

/**
 * Runs a file with the chosen Node, on this process's own terminal, and ends when it ends.
 * @param {Runtime} runtime
 * @param {string} file
 * @param {string[]} args
 * @param {{ channel?: boolean, cwd?: string }} options `channel`: the child can tell from it when we are gone
 * @returns {Promise<number>} its exit status; 128 and the signal's number where a signal ended it
 */
function runNode(runtime, file, args, { channel = false, cwd = process.cwd() }) {
  return new Promise((resolve, reject) => {
    const child = spawn(runtime.node, [file, ...args], {
      cwd,
      env: runtime.env,
      stdio: channel ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    })
    // On a terminal the child hears Ctrl-C itself, and npm passes it on as well; our own programs know that signals
    // which follow within a moment are one.
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    const forward = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal)
    for (const signal of signals) process.on(signal, forward)
    const watch = watchParent(() => child.kill('SIGTERM'))
    child.once('error', reject)
    child.once('exit', (status, signal) => {
      clearInterval(watch)
      for (const name of signals) process.off(name, forward)
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal])
    })
  })
}

/**
 * When npm itself is killed nobody tells us. Started by hand we may well outlive the shell (nohup); started by npm we
 * belong to it, and between it and us there may be the shell that it starts scripts with.
 * @param {() => void} onGone
 */
function watchParent(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined
  const parent = process.ppid
  const grandparent = parentOf(parent)
  return setInterval(() => {
    if (process.ppid !== parent || parentOf(parent) !== grandparent) onGone()
  }, 500).unref()
}

/**
 * Linux only; elsewhere the shell has become us, and our own parent is npm.
 * @param {number} pid
 */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  } catch {
    return undefined
  }
}
