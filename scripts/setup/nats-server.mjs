import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { downloadWithApt } from './apt.mjs'
import { downloadRelease, NATS_RELEASES } from './nats-release.mjs'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { isAtLeast, NATS_VERSION_MIN, NATS_VERSION_PINNED, parseVersion } from './versions.mjs'

/**
 * A place that a nats-server can come from. `obtain` gives back a binary, in `folder` or installed elsewhere, or
 * throws an Error whose message says why not.
 * @typedef {object} NatsSource
 * @property {string} name as said to the user
 * @property {boolean} applies whether this machine has it at all
 * @property {(folder: string) => Promise<string>} obtain
 */

/**
 * The path of a nats-server that is new enough: MILLWRIGHT_NATS_SERVER where it is set, else one on the PATH, else the
 * one that was brought earlier, else the first that a source yields.
 * @param {string} toolsFolder
 * @param {object} options
 * @param {import('./setup.mjs').Lock} options.lock
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {NatsSource[]} [options.sources]
 * @returns {Promise<string>}
 */
export async function ensureNatsServer(toolsFolder, { lock, env = process.env, sources = natsSources(env) }) {
  const named = env.MILLWRIGHT_NATS_SERVER
  if (named !== undefined && named !== '') {
    const version = await versionOf(named, toolsFolder)
    if (version !== undefined && isAtLeast(version, NATS_VERSION_MIN)) return named
    const state = version === undefined ? 'it is no nats-server that runs here' : `it is ${version}`
    throw new SetupError(
      `Cannot use MILLWRIGHT_NATS_SERVER (${named}): ${state}, needed is ${NATS_VERSION_MIN} or newer`,
    )
  }
  const found = await findInstalled(toolsFolder, env)
  if (found.path !== undefined) return found.path
  return lock(async () => {
    const again = await findInstalled(toolsFolder, env)
    return again.path ?? provide(toolsFolder, sources, again.tooOld)
  })
}

/**
 * @param {string} toolsFolder
 * @param {NodeJS.ProcessEnv} env
 */
async function findInstalled(toolsFolder, env) {
  // Debian puts daemons into folders that an ordinary user's PATH leaves out.
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin'].filter(
    (folder) => folder !== '',
  )
  const candidates = [...new Set(folders)].map((folder) => join(folder, 'nats-server'))
  /** @type {string[]} */
  const tooOld = []
  for (const path of [...candidates, join(toolsFolder, 'nats-server', 'nats-server')]) {
    const version = await versionOf(path, toolsFolder)
    if (version === undefined) continue
    if (isAtLeast(version, NATS_VERSION_MIN)) return { path, tooOld }
    tooOld.push(`${path} is ${version}`)
  }
  return { path: undefined, tooOld }
}

/**
 * @param {string} toolsFolder
 * @param {NatsSource[]} sources
 * @param {string[]} tooOld
 */
async function provide(toolsFolder, sources, tooOld) {
  const why = tooOld.length > 0 ? `${tooOld.join(', ')}, needed is ${NATS_VERSION_MIN}` : 'not found'
  /** @type {string[]} */
  const problems = []
  for (const source of sources) {
    if (!source.applies) continue
    say(`nats-server (${why}): getting it from ${source.name}`)
    const partial = join(toolsFolder, `nats-server.partial-${process.pid}`)
    try {
      mkdirSync(join(partial, 'work'), { recursive: true })
      const binary = await source.obtain(join(partial, 'work'))
      const version = await probe(binary)
      if (version === undefined) throw new Error('what came does not run on this machine')
      if (!isAtLeast(version, NATS_VERSION_MIN))
        throw new Error(`what came is ${version}, needed is ${NATS_VERSION_MIN}`)
      // A package manager's own installation stays where it is.
      if (!binary.startsWith(partial)) return binary
      return putInPlace(binary, partial, toolsFolder)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      problems.push(`${source.name}: ${problem}`)
      say(`nats-server: ${source.name} did not work: ${problem}`)
    } finally {
      rmSync(partial, { recursive: true, force: true })
    }
  }
  throw new SetupError(`Cannot get a nats-server of ${NATS_VERSION_MIN} or newer`, [
    ...problems,
    'Install one by hand and start again; any of these will do:',
    '  brew install nats-server',
    '  sudo apt-get install nats-server        # Debian 13, Ubuntu 24.04 or newer',
    `  go install github.com/nats-io/nats-server/v2@v${NATS_VERSION_PINNED}`,
    `  or unpack ${NATS_RELEASES.replace('/download', '')}/tag/v${NATS_VERSION_PINNED}`,
    'It must be on the PATH, or named by MILLWRIGHT_NATS_SERVER=/path/to/nats-server',
  ])
}

/**
 * Only the binary is kept. The folder gets its name when it is whole.
 * @param {string} binary
 * @param {string} partial
 * @param {string} toolsFolder
 */
function putInPlace(binary, partial, toolsFolder) {
  const whole = join(partial, 'whole')
  const folder = join(toolsFolder, 'nats-server')
  mkdirSync(whole)
  copyFileSync(binary, join(whole, 'nats-server'))
  chmodSync(join(whole, 'nats-server'), 0o755)
  rmSync(folder, { recursive: true, force: true })
  renameSync(whole, folder)
  return join(folder, 'nats-server')
}

/**
 * The sources of this machine, in the order in which they are tried.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NatsSource[]}
 */
export function natsSources(env) {
  const mirror = env.MILLWRIGHT_NATS_RELEASES
  const onPath = (/** @type {string} */ name) =>
    (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, name)))
  return [
    {
      name: `the release ${NATS_VERSION_PINNED}`,
      applies: true,
      obtain: (folder) => downloadRelease(folder, mirror ? { base: mirror.replace(/\/+$/, '') } : {}),
    },
    { name: 'Homebrew', applies: onPath('brew'), obtain: installWithHomebrew },
    {
      name: "apt (a newer suite of this system's archive)",
      applies: onPath('apt-get') && onPath('dpkg-deb'),
      obtain: downloadWithApt,
    },
  ]
}

async function installWithHomebrew() {
  const env = { ...process.env, HOMEBREW_NO_AUTO_UPDATE: '1', HOMEBREW_NO_ENV_HINTS: '1' }
  const installed = await runCommand('brew', ['install', 'nats-server'], {
    env,
    timeoutMs: 5 * 60_000,
    label: 'brew install',
  })
  if (!installed.ok)
    throw new Error(`brew install: ${installed.problem}: ${outputLines(installed.output).slice(-2).join(' ')}`)
  const prefix = await runCommand('brew', ['--prefix', 'nats-server'], { env, timeoutMs: 30_000 })
  if (!prefix.ok) throw new Error(`brew --prefix: ${prefix.problem}`)
  return join(prefix.output.trim(), 'bin', 'nats-server')
}

/**
 * The version of a binary, or undefined where there is none that runs. What was asked once is remembered for as long
 * as the file stays the same, so that a start need not run it.
 * @param {string} path
 * @param {string} toolsFolder
 */
async function versionOf(path, toolsFolder) {
  if (!isExecutable(path)) return undefined
  const { mtimeMs, size, ino } = statSync(path)
  const key = `${path} ${mtimeMs} ${size} ${ino}`
  const memory = join(toolsFolder, 'nats-versions.json')
  /** @type {Record<string, string>} */
  let known = {}
  try {
    known = JSON.parse(readFileSync(memory, 'utf8'))
    if (typeof known[key] === 'string') return known[key]
  } catch {
    // Nothing is remembered yet, or it cannot be read: the binary is asked.
  }
  const version = await probe(path)
  if (version === undefined) return undefined
  const entries = Object.entries({ ...known, [key]: version }).slice(-20)
  mkdirSync(toolsFolder, { recursive: true })
  writeFileSync(`${memory}.${process.pid}`, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
  renameSync(`${memory}.${process.pid}`, memory)
  return version
}

/** @param {string} path */
async function probe(path) {
  const result = await runCommand(path, ['--version'], { timeoutMs: 10_000 })
  return result.ok && result.output.includes('nats-server') ? parseVersion(result.output)?.join('.') : undefined
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
