import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { listenForInterrupts } from './interrupts.ts'
import { chooseRepository } from './repository-folder.ts'
import { projectFolder } from './setup/paths.mjs'
import { type EdgeRuntime, type Stack, startStack } from './stack.ts'
import { defaultDataFolder, parseStartOptions, type StartOptions, startUsage } from './start-options.ts'

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

export interface ServeOptions {
  /** What npm is given: it shows in the usage. */
  readonly command: 'start' | 'run edge'
  /** In which runtime the functions run; Node's where left out. */
  readonly edge?: EdgeRuntime
}

/** The command line of a whole stack on one repository, until Ctrl-C. Resolves with the exit status. */
export async function serveRepository({ command, edge }: ServeOptions): Promise<number> {
  const usage = startUsage(command)
  // npm runs scripts in Millwright's folder and says where the person was.
  const userFolder = process.env.INIT_CWD ?? process.cwd()
  let options: StartOptions
  try {
    options = parseStartOptions(process.argv.slice(2), userFolder)
  } catch (error) {
    log(`Cannot start: ${messageOf(error)}\n\n${usage}`)
    return 2
  }
  if (options.help) {
    console.log(usage)
    return 0
  }
  const startedAt = performance.now()
  const interrupted = listenForInterrupts(log)
  try {
    const { path: repository, notes } = chooseRepository(options.repository, userFolder, projectFolder)
    for (const note of notes) log(note)
    const system = { platform: process.platform, env: process.env, home: homedir() }
    const ownFolder = defaultDataFolder(repository, system)
    const stack = await startStack({
      repository,
      dataFolder: options.dataFolder ?? ownFolder,
      // Gigabytes that all repositories share.
      modelsFolder: process.env.MILLWRIGHT_MODELS ?? join(dirname(ownFolder), 'models'),
      ...(options.models.length === 0 ? {} : { model: options.models }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.slots === undefined ? {} : { slots: options.slots }),
      port: options.port,
      ...(edge === undefined ? {} : { edge }),
      log,
      signal: interrupted,
    })
    if (!interrupted.aborted) {
      console.log(describeStack(stack, repository, (performance.now() - startedAt) / 1000))
      await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }))
    }
    await stack.stop()
    return 0
  } catch (error) {
    if (interrupted.aborted) return 0
    log(messageOf(error))
    return 1
  }
}

function describeStack(stack: Stack, repository: string, seconds: number): string {
  return `
Millwright is ready (${seconds.toFixed(1)} s).

  Page         ${stack.pageUrl}
  MCP URL      ${stack.url}
  Repository   ${repository} (workspace "${stack.workspace}")
  Data         ${stack.dataFolder} (the token is in edge/token)

Add it to Claude Code:

  claude mcp add --transport http millwright ${stack.url} --header "Authorization: Bearer ${stack.token}"

The model loads behind it; the tool get_server_info shows how far it is. Ctrl-C stops everything.
`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
