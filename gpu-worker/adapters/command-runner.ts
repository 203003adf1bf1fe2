import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import { createProtectedPaths } from '../workspace/protected-paths.ts'
import { findBubblewrap } from './bubblewrap-probe.ts'
import { createBubblewrapRunner, parseCommandFolders } from './bubblewrap-runner.ts'
import { createNoCommandRunner } from './no-command-runner.ts'
import { findToolFolders } from './tool-folders.ts'
import { createUnsandboxedRunner } from './unsandboxed-runner.ts'

export interface CommandRunnerOptions {
  /** The repository, absolute, links resolved. */
  readonly root: string
  readonly allowProtected: readonly string[]
  /** The worker's own: never shown to a command, and where what is shown instead of files lies meanwhile. */
  readonly dataFolder: string
  /** Other folders that no command may see. */
  readonly hiddenFolders: readonly string[]
  readonly commandFolders: readonly string[]
  readonly isUnsandboxedAllowed: boolean
  readonly searchPath: string
  /** Of the operator: where the programs on the search path are installed is found with it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A bwrap by path; the first on the search path where left out. */
  readonly bubblewrap: string | undefined
}

/**
 * What runs the repository's commands on this system: bubblewrap where it works; else, where the operator said so, no
 * sandbox; else nothing, which each command's obstacle says. Throws `invalid_input` for a folder that may not be shown,
 * or that is to be hidden and is the repository.
 */
export async function createCommandRunner(options: CommandRunnerOptions): Promise<CommandRunner> {
  const { root, searchPath } = options
  const protectedPaths = createProtectedPaths(options.allowProtected)
  const workFolder = join(options.dataFolder, 'commands')
  // What a killed worker left.
  rmSync(workFolder, { recursive: true, force: true })
  mkdirSync(workFolder, { recursive: true, mode: 0o700 })
  const hiddenFolders = [options.dataFolder, ...options.hiddenFolders].map(resolveFolder)
  if (hiddenFolders.includes(root)) {
    throw new AppError('invalid_input', 'Cannot start the worker: its data or models folder is the repository itself', {
      hint: 'Name another one with --data or --models: no command may see it',
    })
  }
  const folders = parseCommandFolders(options.commandFolders, root, hiddenFolders)
  const bubblewrap = await findBubblewrap(searchPath, options.bubblewrap)
  if ('binary' in bubblewrap) {
    const { environment } = options
    const tools = findToolFolders({ searchPath, environment, root, home: environment.HOME ?? homedir() })
    return createBubblewrapRunner({ bubblewrap, root, protectedPaths, workFolder, folders, tools, hiddenFolders })
  }
  if (options.isUnsandboxedAllowed) return createUnsandboxedRunner({ root, protectedPaths, workFolder, searchPath })
  return createNoCommandRunner(bubblewrap.missing)
}

/** Without links, also where it is not there yet: a folder for models is made with the first download. */
function resolveFolder(folder: string): string {
  if (existsSync(folder) || folder === dirname(folder)) return realpathSync(folder)
  return join(resolveFolder(dirname(folder)), basename(folder))
}
