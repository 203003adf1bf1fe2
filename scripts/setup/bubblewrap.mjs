import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { downloadPackage } from './apt.mjs'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'

/**
 * The path of bubblewrap, in which the commands of a repository run: MILLWRIGHT_BWRAP where it is set, else the one on the
 * PATH, else the one that was brought earlier, else one out of the system's own archive. Undefined where it cannot be had
 * or does not work here, which is said: everything but those commands works without it.
 * @param {string} toolsFolder
 * @param {object} options
 * @param {import('./setup.mjs').Lock} options.lock
 * @param {boolean} options.isTriedAgain what could not be brought before is tried once more
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {NodeJS.Platform} [options.platform]
 * @param {(folder: string) => Promise<string>} [options.obtain]
 * @returns {Promise<string | undefined>}
 */
export async function ensureBubblewrap(toolsFolder, options) {
  const { lock, isTriedAgain, env = process.env, platform = process.platform, obtain = fromArchive } = options
  if (platform !== 'linux') return undefined
  const named = env.MILLWRIGHT_BWRAP
  if (named !== undefined && named !== '') return named
  const find = () => [...onPath(env), join(toolsFolder, 'bubblewrap', 'bwrap')].find(isExecutable)
  const stamp = join(toolsFolder, 'bubblewrap.missing')
  const found = find() ?? (isTriedAgain || !existsSync(stamp) ? await lock(async () => find() ?? bring()) : undefined)
  if (found !== undefined && isTriedAgain) await tell(found)
  return found

  async function bring() {
    say('bubblewrap (not found): getting it from the archive of this system')
    const partial = join(toolsFolder, `bubblewrap.partial-${process.pid}`)
    try {
      mkdirSync(join(partial, 'work'), { recursive: true })
      const binary = await obtain(join(partial, 'work'))
      const runs = await runCommand(binary, ['--version'], { timeoutMs: 10_000 })
      if (!runs.ok) throw new Error(`what came does not run on this machine: ${outputLines(runs.output).join(' ')}`)
      const whole = join(partial, 'whole')
      mkdirSync(whole)
      copyFileSync(binary, join(whole, 'bwrap'))
      chmodSync(join(whole, 'bwrap'), 0o755)
      renameSync(whole, join(toolsFolder, 'bubblewrap'))
      rmSync(stamp, { force: true })
      return join(toolsFolder, 'bubblewrap', 'bwrap')
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      say(`bubblewrap: ${problem}`)
      say('Without it the commands of a millwright.json do not run; all else does. Install the package "bubblewrap"')
      writeFileSync(stamp, `${problem}\nRemove this file, or run "npm run setup", to try again\n`)
      return undefined
    } finally {
      rmSync(partial, { recursive: true, force: true })
    }
  }
}

/**
 * Says where the system keeps it from making a sandbox.
 * @param {string} binary
 */
async function tell(binary) {
  const args = ['--unshare-all', '--unshare-user', '--ro-bind', '/', '/', '--', '/bin/sh', '-c', ':']
  const tried = await runCommand(binary, args, { timeoutMs: 10_000 })
  if (tried.ok) return
  const reason = outputLines(tried.output).at(-1) ?? tried.problem
  say(`${binary} cannot make a sandbox here (${reason}): the commands of a millwright.json will not run`)
}

/** @param {string} folder */
const fromArchive = (folder) =>
  downloadPackage(folder, 'bubblewrap', 'usr/bin/bwrap', ({ distribution, codename }) => ({
    suites: [codename],
    components: distribution === 'debian' ? 'main' : 'main universe',
  }))

/** @param {NodeJS.ProcessEnv} env */
const onPath = (env) =>
  (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'bwrap'))

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
