import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { projectFolder } from './setup/paths.mjs'
import { wranglerConfig, wranglerEnvironment, wranglerProgram } from './wrangler.ts'

// npm run deploy: builds the edge for workerd and uploads it with wrangler, which asks who you are where it does not know.
// `npm run deploy -- --dry-run` builds it only. What else is given goes to `wrangler deploy`.

const args = [wranglerProgram, 'deploy', '--config', wranglerConfig, '--minify', ...process.argv.slice(2)]
const wrangler = spawn(process.execPath, args, {
  cwd: projectFolder,
  env: { ...process.env, ...wranglerEnvironment },
  stdio: 'inherit',
})
const [status] = await once(wrangler, 'exit')
process.exitCode = typeof status === 'number' ? status : 1
