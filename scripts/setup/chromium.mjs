import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

const APT_OPTIONS = ['-q', '-y', '-o', 'Acquire::Retries=0', '-o', 'DPkg::Lock::Timeout=60']
// An index of 11 MB; then Chromium with its libraries, about 250 MB.
const UPDATE_TIMEOUT_MS = 180_000
const INSTALL_TIMEOUT_MS = 15 * 60_000

/** @typedef {{ path: string } | { missing: string }} Chromium a browser, or in a sentence why there is none */

/**
 * A Chromium of this machine: the one that MILLWRIGHT_CHROMIUM names, else the first on the PATH.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} its path
 */
export function findChromium(env = process.env) {
  const named = env.MILLWRIGHT_CHROMIUM ?? ''
  if (named !== '') return isExecutable(named) ? named : undefined
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

/**
 * The Chromium in which the page is tested: the machine's own, else one that the machine's package manager installs. That
 * needs root, or a sudo that asks nothing; without either it says what a person can do. Never throws for want of a browser.
 * @param {string} toolsFolder
 * @param {object} options
 * @param {import('./setup.mjs').Lock} options.lock
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {NodeJS.Platform} [options.platform]
 * @param {() => Promise<void>} [options.install] rejects with an Error whose message says why it could not
 * @returns {Promise<Chromium>}
 */
export async function ensureChromium(toolsFolder, options) {
  const { lock, env = process.env, platform = process.platform, install = installWithApt } = options
  const find = () => findChromium(env)
  const found = find()
  if (found !== undefined) return { path: found }
  const named = env.MILLWRIGHT_CHROMIUM ?? ''
  if (named !== '') return { missing: `MILLWRIGHT_CHROMIUM names ${named}, which is no program` }
  if (platform !== 'linux') return { missing: 'there is no Chromium on the PATH: install one' }
  const stamp = join(toolsFolder, 'chromium.missing')
  if (existsSync(stamp)) return { missing: `there is no Chromium on the PATH; ${stamp} says why none was installed` }
  return lock(async () => {
    const since = find()
    if (since !== undefined) return { path: since }
    say('chromium (not found): installing it with the package manager of this system, for the tests of the page')
    try {
      await install()
      const installed = find()
      if (installed === undefined) throw new Error('the package that was installed holds no such program')
      rmSync(stamp, { force: true })
      return { path: installed }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      say(`chromium: ${problem}`)
      writeFileSync(stamp, `${problem}\nRemove this file to try again, or install the package "chromium"\n`)
      return { missing: `there is no Chromium on the PATH, and none could be installed: ${problem}` }
    }
  })
}

/** As root, or by a sudo that needs no password. */
async function installWithApt() {
  const isRoot = process.getuid?.() === 0
  const before = isRoot ? [] : ['sudo', '-n']
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  /** @type {(args: string[], timeoutMs: number, label: string) => Promise<void>} */
  const apt = async (args, timeoutMs, label) => {
    const [command = '', ...rest] = [...before, 'apt-get', ...APT_OPTIONS, ...args]
    const result = await runCommand(command, rest, { env, timeoutMs, label })
    if (result.ok) return
    const complaint = outputLines(result.output).slice(-2).join(' ').slice(0, 300)
    const way = isRoot ? '' : ' (it needs root: sudo apt-get install chromium)'
    throw new Error(`apt-get ${args[0]}: ${[complaint, result.problem].filter(Boolean).join(': ')}${way}`)
  }
  await apt(['update'], UPDATE_TIMEOUT_MS, 'Reading the package list')
  await apt(['install', '--no-install-recommends', 'chromium'], INSTALL_TIMEOUT_MS, 'Installing chromium')
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
