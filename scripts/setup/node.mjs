import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, npmEnvironment } from './npm.mjs'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { isCurrentNode, NODE_VERSION_MIN, NODE_VERSION_PINNED } from './versions.mjs'

/**
 * The npm package that holds a platform's Node. The package `node` would install it by way of a script, which npm 12
 * and `ignore-scripts` forbid; naming it directly needs no script.
 * @param {string} platform
 * @param {string} arch
 */
export function nodePackageName(platform, arch) {
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`
}

/**
 * The path of a Node that can run Millwright, and its version: the running one where it is new enough, else the pinned
 * one, which is installed below `toolsFolder` when it is not there yet.
 * @param {string} toolsFolder
 * @param {{ version?: string, execPath?: string, lock: import('./setup.mjs').Lock }} options
 * @returns {Promise<{ path: string, version: string }>}
 */
export async function ensureNode(toolsFolder, { version = process.versions.node, execPath = process.execPath, lock }) {
  if (isCurrentNode(version)) return { path: execPath, version }
  // The version is part of the folder's name, and a folder gets its name only when it is complete.
  const folder = join(toolsFolder, `node-${NODE_VERSION_PINNED}`)
  const packageName = nodePackageName(process.platform, process.arch)
  const binary = (/** @type {string} */ root) =>
    join(root, 'node_modules', packageName, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const result = { path: binary(folder), version: NODE_VERSION_PINNED }
  if (existsSync(result.path)) return result

  await lock(async () => {
    if (existsSync(result.path)) return
    say(`Node ${version} is older than ${NODE_VERSION_MIN}: installing Node ${NODE_VERSION_PINNED} into .tools/`)
    const partial = join(toolsFolder, `node.partial-${process.pid}`)
    try {
      mkdirSync(partial, { recursive: true })
      const manifest = { private: true, dependencies: { [packageName]: NODE_VERSION_PINNED } }
      writeFileSync(join(partial, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      const npm = npmCommand(execPath)
      const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
      const installed = await runCommand(npm.command, [...npm.args, 'install', ...flags], {
        cwd: partial,
        env: npmEnvironment(execPath),
        timeoutMs: 10 * 60_000,
        label: `Installing Node ${NODE_VERSION_PINNED}`,
      })
      if (!installed.ok) throw refusal(`npm install ended with ${installed.problem}`, outputLines(installed.output))
      const probe = await runCommand(binary(partial), ['--version'], { timeoutMs: 20_000 })
      if (probe.output.trim() !== `v${NODE_VERSION_PINNED}`) {
        throw refusal(
          `it does not run on this machine (${probe.problem || probe.output.trim()})`,
          outputLines(probe.output),
        )
      }
      rmSync(folder, { recursive: true, force: true })
      renameSync(partial, folder)
    } finally {
      rmSync(partial, { recursive: true, force: true })
    }
  })
  return result
}

/**
 * @param {string} problem
 * @param {string[]} lines
 */
function refusal(problem, lines) {
  return new SetupError(`Cannot install Node ${NODE_VERSION_PINNED}: ${problem}`, [
    ...lines,
    `Install Node ${NODE_VERSION_MIN} or newer yourself (https://nodejs.org/en/download) and start again`,
  ])
}
