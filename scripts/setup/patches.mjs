import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './progress.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'

const STAMP = '.millwright-patches'

/**
 * Makes installed packages what `patches/` says, with patch-package; npm itself runs no install script here. A stamp
 * holds the hash of the patches and of the files that they change, so that a package which was installed again, or a
 * patch which has changed, is noticed. Safe to repeat: patch-package leaves alone what is patched already.
 * @param {string} folder the checkout
 * @param {{ node: string, lock: import('./setup.mjs').Lock }} options
 */
export async function ensurePatches(folder, { node, lock }) {
  const patches = readPatches(folder)
  if (patches.length === 0 || readStamp(folder) === hashOf(folder, patches)) return
  await lock(async () => {
    if (readStamp(folder) === hashOf(folder, patches)) return
    say(`Mending installed packages (patch-package): ${patches.map(({ name }) => name).join(', ')}`)
    const program = join(folder, 'node_modules', 'patch-package', 'index.js')
    const result = await runCommand(node, [program, '--error-on-fail'], { cwd: folder, timeoutMs: 60_000 })
    if (!result.ok) {
      throw new SetupError(`Cannot mend the installed packages: patch-package ended with ${result.problem}`, [
        ...outputLines(result.output),
        'Remove node_modules and start again; a package of another version needs another patch',
      ])
    }
    const file = join(folder, 'node_modules', STAMP)
    writeFileSync(`${file}.${process.pid}`, `${hashOf(folder, patches)}\n`)
    renameSync(`${file}.${process.pid}`, file)
  })
}

/** @typedef {{ name: string, text: string }} Patch */

/**
 * @param {string} folder
 * @returns {Patch[]}
 */
function readPatches(folder) {
  const patches = join(folder, 'patches')
  return readdirSync(patches)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(patches, name), 'utf8') }))
}

/**
 * Of the patches and of what they change, as it is now; a file that is missing counts as empty.
 * @param {string} folder
 * @param {Patch[]} patches
 */
function hashOf(folder, patches) {
  const hash = createHash('sha256')
  for (const { text } of patches) {
    hash.update(text)
    for (const [, path = ''] of text.matchAll(/^\+\+\+ b\/(.+)$/gm)) hash.update(readIfAny(join(folder, path)))
  }
  return hash.digest('hex')
}

/** @param {string} folder */
const readStamp = (folder) => readIfAny(join(folder, 'node_modules', STAMP)).trim()

/** @param {string} file */
function readIfAny(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
