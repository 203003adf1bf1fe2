import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, npmEnvironment } from './setup/npm.mjs'
import { toolsFolder } from './setup/paths.mjs'
import { outputLines, runCommand } from './setup/run-command.mjs'

/** A package of npm that we run but do not depend on: one version of it, in a folder of its own beside the other tools. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** Its folder among the tools. */
  readonly folder: string
  /** The file that Node runs, from the package's own folder. */
  readonly program: string
  readonly installMsMax: number
}

/** The program of a package; null where this version of it is not installed. */
export function findPinnedPackage({ name, version, folder, program }: PinnedPackage): string | null {
  const packageFolder = join(toolsFolder, folder, 'node_modules', name)
  const file = join(packageFolder, program)
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(file) || !existsSync(manifest)) return null
  return readFileSync(manifest, 'utf8').includes(`"version": "${version}"`) ? file : null
}

/**
 * Installs a package, unless that is done, and resolves to its program. Safe to run twice at once. Rejects with an Error for a
 * person, such as where the registry cannot be reached.
 */
export async function installPinnedPackage(pinned: PinnedPackage): Promise<string> {
  const { name, version } = pinned
  const found = findPinnedPackage(pinned)
  if (found !== null) return found
  const folder = join(toolsFolder, pinned.folder)
  const partial = `${folder}.partial-${process.pid}`
  try {
    mkdirSync(partial, { recursive: true })
    writeFileSync(join(partial, 'package.json'), '{ "private": true }\n')
    const { command, args } = npmCommand(process.execPath)
    const options = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', `${name}@${version}`]
    const installed = await runCommand(command, [...args, ...options], {
      cwd: partial,
      env: npmEnvironment(process.execPath),
      timeoutMs: pinned.installMsMax,
      label: 'npm install',
    })
    if (!installed.ok) {
      throw new Error([`Cannot install ${name}: ${installed.problem}`, ...outputLines(installed.output)].join('\n  '))
    }
    // Another process may have installed it meanwhile, and run it already.
    if (findPinnedPackage(pinned) === null) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(partial, folder)
    }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  const program = findPinnedPackage(pinned)
  if (program === null) throw new Error(`Cannot install ${name}: what came is not version ${version}`)
  return program
}
