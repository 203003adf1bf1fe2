import { existsSync, mkdirSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import * as v from 'valibot'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { type Administration, createAdministration } from '#functions/auth/administration.ts'
import { AppError } from '#shared/errors.ts'
import { toWorkspaceId, WorkspaceId } from '#shared/ids.ts'
import { listenForInterrupts } from './interrupts.ts'
import { createHttpAdministration } from './keys/http-administration.ts'
import { isMachineCommand, type KeysOptions, keysUsage, parseKeysOptions } from './keys/options.ts'
import { runKeys } from './keys/run-keys.ts'
import { runMachines } from './machines/run-machines.ts'
import { readFileIfAny } from './private-files.ts'
import { chooseRepository } from './repository-folder.ts'
import { projectFolder } from './setup/paths.mjs'
import { defaultDataFolder } from './start-options.ts'

// npm run keys: who may use this server. Works on the database of an edge on Node, whether that runs or not, and
// asks an edge in workerd over HTTP.

process.exitCode = await main()

async function main(): Promise<number> {
  let options: KeysOptions
  try {
    options = parseKeysOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`Cannot do it: ${messageOf(error)}\n\n${keysUsage}\n`)
    return 2
  }
  if (options.help) {
    console.log(keysUsage)
    return 0
  }
  // npm runs scripts in Millwright's folder and says where the person was.
  const userFolder = process.env.INIT_CWD ?? process.cwd()
  try {
    if (isMachineCommand(options.command)) {
      const { edgeFolder, workspace } = findPlace(options, userFolder)
      mkdirSync(edgeFolder, { recursive: true, mode: 0o700 })
      return await runMachines(options.command, options, {
        edgeFolder,
        natsFolder: findNatsFolder(options, userFolder, edgeFolder),
        workspace,
        revokeAtEdge: async (machine) => {
          const { administration, close } = openAdministration(options, userFolder)
          try {
            await administration.revokeMachine(machine)
          } finally {
            close()
          }
        },
        resolve: (path) => resolve(userFolder, path),
        print: (text) => console.log(text),
        signal: listenForInterrupts((line) => process.stderr.write(`${line}\n`)),
      })
    }
    const { administration, close } = openAdministration(options, userFolder)
    try {
      console.log(
        await runKeys(options, {
          administration,
          ownName: userInfo().username,
          resolve: (path) => resolve(userFolder, path),
          keysFolder: join(configFolder(), 'millwright', 'keys'),
        }),
      )
      return 0
    } finally {
      close()
    }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return 1
  }
}

function openAdministration(
  options: KeysOptions,
  userFolder: string,
): { administration: Administration; close: () => void } {
  if (options.edge !== undefined) {
    const token = findToken(options.edge, options, userFolder)
    return { administration: createHttpAdministration(options.edge.origin, token), close: () => undefined }
  }
  const { edgeFolder, workspace } = findPlace(options, userFolder)
  mkdirSync(edgeFolder, { recursive: true, mode: 0o700 })
  const sqlite = openSqlite(join(edgeFolder, 'registry.sqlite'))
  const clock = { now: () => Date.now() }
  const accounts = createSqlAccounts(sqlite, clock)
  const administration = createAdministration({ accounts, clock, workspace, address: null })
  return { administration, close: sqlite.close }
}

/** The owner's token of an edge in workerd: never an argument, which everyone on the machine can read. */
function findToken({ isHere }: { isHere: boolean }, options: KeysOptions, userFolder: string): string {
  const told = process.env.MILLWRIGHT_TOKEN
  if (told !== undefined && told !== '') return told
  if (!isHere) throw new Error("The edge's secret MILLWRIGHT_TOKEN is needed: set it in the environment")
  const file = join(findPlace(options, userFolder).edgeFolder, 'token')
  const token = readFileIfAny(file)?.trim()
  if (token === undefined)
    throw new Error(`There is no ${file}: name the repository with --repo, or set MILLWRIGHT_TOKEN`)
  return token
}

/** The folder of the edge's database, and the workspace that is meant. */
function findPlace(options: KeysOptions, userFolder: string): { edgeFolder: string; workspace: WorkspaceId } {
  const told = options.dataFolder ?? process.env.MILLWRIGHT_DATA
  if (told !== undefined) {
    const folder = resolve(userFolder, told)
    // That of the functions alone holds the database itself; that of npm start has it in a folder of its own.
    const edgeFolder = existsSync(join(folder, 'registry.sqlite')) ? folder : join(folder, 'edge')
    const named = options.workspace ?? process.env.MILLWRIGHT_WORKSPACE
    if (named !== undefined) return { edgeFolder, workspace: v.parse(WorkspaceId, named) }
    const { path } = chooseRepository(options.repository, userFolder, projectFolder)
    return { edgeFolder, workspace: toWorkspaceId(basename(path)) }
  }
  const { path } = chooseRepository(options.repository, userFolder, projectFolder)
  const dataFolder = defaultDataFolder(path, { platform: process.platform, env: process.env, home: homedir() })
  return { edgeFolder: join(dataFolder, 'edge'), workspace: options.workspace ?? toWorkspaceId(basename(path)) }
}

/** Where NATS of `npm start` or `npm run nats` keeps its things. */
function findNatsFolder(options: KeysOptions, userFolder: string, edgeFolder: string): string {
  if (options.natsFolder === undefined) return join(dirname(edgeFolder), 'nats')
  const folder = resolve(userFolder, options.natsFolder)
  return existsSync(join(folder, 'passwords.json')) ? folder : join(folder, 'nats')
}

/** The XDG rules: a relative path there is invalid and to be ignored. */
function configFolder(): string {
  const xdg = process.env.XDG_CONFIG_HOME
  return xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.config')
}

function messageOf(error: unknown): string {
  if (error instanceof AppError) return [error.message, error.hint].filter(Boolean).join('\n')
  return error instanceof Error ? error.message : String(error)
}
