import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'

const BUILD_TIMEOUT_MS = 120_000
const STAMP = '.stamp'
/** Below it the head of a compressed file outweighs what it saves. */
const COMPRESSED_BYTES_MIN = 512

/**
 * Builds the page into `web/dist` when what it is made of has changed, and says so. A build that fails leaves the last
 * one where it is and throws a SetupError with what the builder said.
 * @param {string} project
 * @param {{ node: string, lock: import('./setup.mjs').Lock }} options
 */
export async function ensurePage(project, { node, lock }) {
  if (isBuilt(project)) return
  await lock(async () => {
    if (isBuilt(project)) return
    const started = Date.now()
    const stamp = sourceStamp(project)
    const web = join(project, 'web')
    const next = join(web, `dist-${process.pid}`)
    const result = await runCommand(
      node,
      [join(project, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--config', join(web, 'vite.config.ts')],
      {
        cwd: project,
        env: { ...process.env, MILLWRIGHT_PAGE_FOLDER: next, NODE_ENV: 'production' },
        timeoutMs: BUILD_TIMEOUT_MS,
        label: 'building the page',
      },
    )
    if (!result.ok) {
      rmSync(next, { recursive: true, force: true })
      throw new SetupError(`Cannot build the page: ${result.problem}`, outputLines(result.output))
    }
    compressAssets(next)
    writeFileSync(join(next, STAMP), stamp)
    rmSync(join(web, 'dist'), { recursive: true, force: true })
    renameSync(next, join(web, 'dist'))
    say(`page built (${((Date.now() - started) / 1000).toFixed(1)} s)`)
  })
}

/** @param {string} project */
function isBuilt(project) {
  try {
    return readFileSync(join(project, 'web', 'dist', STAMP), 'utf8') === sourceStamp(project)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/**
 * A hash of all that the build reads: the page, what it shares with the server, and the versions of its libraries.
 * @param {string} project
 */
function sourceStamp(project) {
  const hash = createHash('sha256')
  for (const folder of ['web', 'shared']) {
    const names = readdirSync(join(project, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.test\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.startsWith(join(project, 'web', 'dist')))
      .sort()
    for (const path of names) hash.update(path.slice(project.length)).update('\0').update(readFileSync(path))
  }
  for (const name of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(project, name)))
  return hash.digest('hex')
}

/**
 * Each script, style sheet and picture beside itself as brotli and gzip: made once, as small as it gets.
 * @param {string} folder
 */
function compressAssets(folder) {
  const assets = join(folder, 'assets')
  for (const name of readdirSync(assets)) {
    const bytes = readFileSync(join(assets, name))
    if (bytes.byteLength < COMPRESSED_BYTES_MIN) continue
    writeFileSync(join(assets, `${name}.br`), brotliCompressSync(bytes))
    writeFileSync(join(assets, `${name}.gz`), gzipSync(bytes, { level: 9 }))
  }
}
