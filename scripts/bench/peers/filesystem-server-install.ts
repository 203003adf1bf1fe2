import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, npmEnvironment } from '../../setup/npm.mjs'
import { toolsFolder } from '../../setup/paths.mjs'
import { outputLines, runCommand } from '../../setup/run-command.mjs'

const PACKAGE = '@modelcontextprotocol/server-filesystem'
/** The one that the figures were taken with. */
const VERSION = '2026.8.31'

const folder = join(toolsFolder, 'peers')
const packageFolder = join(folder, 'node_modules', PACKAGE)

/** The program of the official filesystem server; null where it is not installed. */
export function findFilesystemServer(): string | null {
  const program = join(packageFolder, 'dist', 'index.js')
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(program) || !existsSync(manifest)) return null
  return readFileSync(manifest, 'utf8').includes(`"version": "${VERSION}"`) ? program : null
}

/** Installs it beside the other tools, not among our own packages, unless that is done. Rejects with an Error for a person. */
export async function installFilesystemServer(log: (line: string) => void): Promise<string> {
  const found = findFilesystemServer()
  if (found !== null) {
    log('filesystem server: installed already')
    return found
  }
  log(`filesystem server: installing ${PACKAGE} ${VERSION}`)
  const partial = join(toolsFolder, `peers.partial-${process.pid}`)
  try {
    mkdirSync(partial, { recursive: true })
    writeFileSync(join(partial, 'package.json'), '{ "private": true }\n')
    const { command, args } = npmCommand(process.execPath)
    const options = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', `${PACKAGE}@${VERSION}`]
    const installed = await runCommand(command, [...args, ...options], {
      cwd: partial,
      env: npmEnvironment(process.execPath),
      timeoutMs: 5 * 60_000,
      label: 'npm install',
    })
    if (!installed.ok) {
      throw new Error(
        [`Cannot install ${PACKAGE}: ${installed.problem}`, ...outputLines(installed.output)].join('\n  '),
      )
    }
    rmSync(folder, { recursive: true, force: true })
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  const program = findFilesystemServer()
  if (program === null) throw new Error(`Cannot install ${PACKAGE}: what came is not version ${VERSION}`)
  return program
}
