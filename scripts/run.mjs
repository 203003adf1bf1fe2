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
  ['demo', { file: 'scripts/demo.ts', natsServer: true }],
  ['init', { file: 'scripts/init.ts', natsServer: false }],
  ['validate', { file: 'scripts/validate.ts', natsServer: false }],
  ['show:improvement', { file: 'scripts/show-improvement.ts', natsServer: true }],
  ['bench', { file: 'scripts/bench/main.ts', natsServer: true }],
  ['conformance', { file: 'test/conformance/main.ts', natsServer: true }],
  ['bench:peer', { file: 'scripts/bench/peers/main.ts', natsServer: false }],
])

/** Programs that never run a command of a repository. */
const withoutCommands = new Set(['nats', 'functions', 'keys', 'init', 'validate', 'deploy'])

/** Programs that serve the page, or upload it. */
const withPage = new Set(['setup', 'start', 'edge', 'deploy', 'functions', 'demo', 'conformance', 'bench', 'test'])

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
  if (program === undefined && !['setup', 'check', 'test'].includes(command)) {
    throw new SetupError(`Cannot run "${command}": no such command`, [
      `Commands: ${['setup', ...programs.keys(), 'check', 'test'].join(', ')}`,
    ])
  }
  const { node, natsServer, bubblewrap } = await setUp({
    natsServer: program?.natsServer ?? command !== 'check',
    page: withPage.has(command),
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
      // Whatever a program starts as "node" shall be this Node.
      PATH: `${dirname(node.path)}${delimiter}${process.env.PATH ?? ''}`,
      ...(natsServer === undefined ? {} : { MILLWRIGHT_NATS_SERVER: natsServer }),
      ...(bubblewrap === undefined ? {} : { MILLWRIGHT_BWRAP: bubblewrap }),
    },
  }
  if (program !== undefined) {
    return runNode(runtime, join(projectFolder, program.file), args, { channel: true })
  }
  return command === 'check' ? runChecks(runtime) : runTests(runtime, args)
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
 * The checks, then every test once. The last line of the output is the count of both, whatever else is printed: the
 * reporter hands its counts over in a file, and they are shown when the test runner has ended.
 * @param {Runtime} runtime
 * @param {string[]} args for vitest
 * @returns {Promise<number>}
 */
async function runTests(runtime, args) {
  const checksStatus = await runChecks(runtime)
  const folder = mkdtempSync(join(temporaryFolder(), 'millwright-test-'))
  try {
    const summary = join(folder, 'summary.json')
    const status = await runNode(
      { ...runtime, env: { ...runtime.env, MILLWRIGHT_TEST_SUMMARY: summary } },
      packageProgram('vitest', 'vitest'),
      ['run', '--reporter=default', `--reporter=${join(projectFolder, 'scripts', 'summary-reporter.ts')}`, ...args],
      { cwd: projectFolder },
    )
    const counts = readCounts(summary)
    // A runner that ended badly without naming a failed test has failed itself.
    const failed = counts.failed + (checksStatus === 0 ? 0 : 1) + (status !== 0 && counts.failed === 0 ? 1 : 0)
    console.log(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`)
    return failed === 0 ? 0 : status || 1
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
