import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, npmEnvironment } from './npm.mjs'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'

const STAMP = '.millwright-lock'

/** @typedef {{ version?: string, optional?: boolean, optionalDependencies?: Record<string, string> }} LockedPackage */

/**
 * Makes `node_modules` what `package-lock.json` says, with `npm ci`. A stamp with the lock file's hash is written when
 * that has succeeded, and only then, so an installation that was cut short is made again.
 * @param {string} folder the checkout
 * @param {{ node: string, lock: import('./setup.mjs').Lock }} options
 */
export async function ensureDependencies(folder, { node, lock }) {
  const expected = lockHash(folder)
  if (readStamp(folder) === expected) return
  await lock(async () => {
    if (readStamp(folder) === expected) return
    if (isInstalledByHand(folder)) {
      writeStamp(folder, expected)
      return
    }
    const changed = existsSync(join(folder, 'node_modules'))
    say(`Installing the packages of package-lock.json (npm ci)${changed ? ': node_modules is not up to date' : ''}`)
    rmSync(join(folder, 'node_modules', STAMP), { force: true })
    const locked = lockedPackages(join(folder, 'package-lock.json'))
    const wanted = locked.filter(([, entry]) => !entry.optional)
    const optional = locked.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}))
    /** @param {string[]} command */
    const runNpm = (command) => {
      const npm = npmCommand(node)
      const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--no-update-notifier']
      return runCommand(npm.command, [...npm.args, ...command, ...flags, '--loglevel=error'], {
        cwd: folder,
        env: npmEnvironment(node),
        timeoutMs: 30 * 60_000,
        label: 'Installing packages',
        state: () => {
          const there = wanted.filter(([path]) => existsSync(join(folder, path, 'package.json'))).length
          return `${there} of ${wanted.length} (${Math.floor((there / Math.max(1, wanted.length)) * 100)}%)`
        },
      })
    }
    let command = ['ci']
    let result = await runNpm(command)
    if (!result.ok && lacksOnlyForeignPackages(result.output, optional)) {
      say('package-lock.json lacks packages of other platforms, which npm ci insists on: using npm install')
      // It keeps to the lock file's versions and hashes all the same, and leaves the lock file as it is.
      command = ['install', '--no-save']
      result = await runNpm(command)
    }
    if (!result.ok) {
      throw new SetupError(`Cannot install the packages: npm ${command.join(' ')} ended with ${result.problem}`, [
        ...outputLines(result.output),
        'Check the connection to your npm registry and the free disk space (it takes about 1.5 GB), then start again',
      ])
    }
    writeStamp(folder, expected)
  })
}

/**
 * Whether `npm ci` stopped for nothing but packages of other platforms that the lock file does not name. npm leaves
 * them out of a lock file that is made with a registry that mirrors one platform only, and then complains of it.
 * @param {string} output
 * @param {Iterable<string>} optionalNames what the locked packages name as optional
 */
export function lacksOnlyForeignPackages(output, optionalNames) {
  const optional = new Set(optionalNames)
  const complaints = output.split('\n').filter((line) => /\b(Missing|Invalid): /.test(line))
  return (
    complaints.length > 0 &&
    complaints.every((line) => optional.has(/Missing: (@?[^@\s]+)@\S* from lock file/.exec(line)?.[1] ?? ''))
  )
}

/** @param {string} folder */
function lockHash(folder) {
  try {
    return createHash('sha256')
      .update(readFileSync(join(folder, 'package-lock.json')))
      .digest('hex')
  } catch (error) {
    throw new SetupError(`Cannot read package-lock.json: ${error instanceof Error ? error.message : error}`, [
      'Restore it from git: git checkout -- package-lock.json',
    ])
  }
}

/** @param {string} folder */
function readStamp(folder) {
  try {
    return readFileSync(join(folder, 'node_modules', STAMP), 'utf8').trim()
  } catch {
    return undefined
  }
}

/**
 * @param {string} folder
 * @param {string} hash
 */
function writeStamp(folder, hash) {
  const file = join(folder, 'node_modules', STAMP)
  writeFileSync(`${file}.${process.pid}`, `${hash}\n`)
  renameSync(`${file}.${process.pid}`, file)
}

/**
 * Whether somebody ran `npm ci` or `npm install` themselves and it ended well: npm writes down at the very end what it
 * installed. What it has left out may only be packages for other platforms.
 * @param {string} folder
 */
function isInstalledByHand(folder) {
  try {
    const installed = new Map(lockedPackages(join(folder, 'node_modules', '.package-lock.json')))
    return lockedPackages(join(folder, 'package-lock.json')).every(([path, entry]) => {
      const found = installed.get(path)
      return found === undefined ? entry.optional === true : found.version === entry.version
    })
  } catch {
    return false
  }
}

/**
 * @param {string} file
 * @returns {[string, LockedPackage][]} path below the checkout and what is locked there
 */
function lockedPackages(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'))
  return Object.entries(packages).filter(([path]) => path !== '')
}
