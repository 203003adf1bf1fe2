import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, npmEnvironment } from '../setup/npm.mjs'
import { toolsFolder } from '../setup/paths.mjs'
import { outputLines, runCommand } from '../setup/run-command.mjs'

const PACKAGE = '@modelcontextprotocol/inspector'
const VERSION = '2.12.0'
/** 110 MB from the registry, on a slow line. */
const INSTALL_MS_MAX = 3 * 60_000

const folder = join(toolsFolder, 'inspector')
const packageFolder = join(folder, 'node_modules', PACKAGE)

/** The program of MCP Inspector; null where it is not installed. It is too heavy to be one of our packages. */
export function findInspector(): string | null {
  const program = join(packageFolder, 'clients', 'launcher', 'build', 'index.js')
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(program) || !existsSync(manifest)) return null
  return readFileSync(manifest, 'utf8').includes(`"version": "${VERSION}"`) ? program : null
}

/**
 * Installs it beside the other tools, unless that is done. Safe to run twice at once. Rejects with an Error for a person, such as
 * where the registry cannot be reached.
 */
export async function installInspector(): Promise<string> {
  const found = findInspector()
  if (found !== null) return found
  const partial = join(toolsFolder, `inspector.partial-${process.pid}`)
  try {
    mkdirSync(partial, { recursive: true })
    writeFileSync(join(partial, 'package.json'), '{ "private": true }\n')
    const { command, args } = npmCommand(process.execPath)
    const options = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', `${PACKAGE}@${VERSION}`]
    const installed = await runCommand(command, [...args, ...options], {
      cwd: partial,
      env: npmEnvironment(process.execPath),
      timeoutMs: INSTALL_MS_MAX,
      label: 'npm install',
    })
    if (!installed.ok) {
      throw new Error(
        [`Cannot install ${PACKAGE}: ${installed.problem}`, ...outputLines(installed.output)].join('\n  '),
      )
    }
    if (findInspector() === null) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(partial, folder)
    }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  const program = findInspector()
  if (program === null) throw new Error(`Cannot install ${PACKAGE}: what came is not version ${VERSION}`)
  return program
}
