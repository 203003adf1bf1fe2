import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from './setup/paths.mjs'

const run = promisify(execFile)

export const wranglerProgram = join(projectFolder, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
export const wranglerConfig = join(projectFolder, 'wrangler.toml')

/** Wrangler that asks and tells nobody anything beside its work. */
export const wranglerEnvironment = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
} as const

/** A build takes two seconds; on a machine whose cores are all busy many times that. */
const BUILD_TIMEOUT_MS = 120_000

/**
 * Builds what `wrangler deploy` would upload into a folder: the program, as `NAME.js` after its entry file. No network.
 * `entry` takes the place of the configuration's own. Rejects with what wrangler said where it cannot. Returns what it said.
 */
export async function buildEdge(outFolder: string, config: string = wranglerConfig, entry?: string): Promise<string> {
  const program = [wranglerProgram, 'deploy', ...(entry === undefined ? [] : [entry])]
  const args = [...program, '--dry-run', '--outdir', outFolder, '--config', config]
  const { stdout, stderr } = await run(process.execPath, args, {
    cwd: projectFolder,
    env: { ...process.env, ...wranglerEnvironment },
    timeout: BUILD_TIMEOUT_MS,
  })
  return stdout + stderr
}
