import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensurePatches } from './patches.mjs'
import { projectFolder } from './paths.mjs'

let folder: string
let locked: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-patches-'))
  locked = 0
  mkdirSync(join(folder, 'patches'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "checkout", "version": "1.0.0" }')
  writePatch('new')
  install('const value = "old"')
  symlinkSync(join(projectFolder, 'node_modules', 'patch-package'), join(folder, 'node_modules', 'patch-package'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As npm does it: the package as it was published. */
function install(text: string): void {
  mkdirSync(join(folder, 'node_modules', 'lib'), { recursive: true })
  writeFileSync(join(folder, 'node_modules', 'lib', 'package.json'), '{ "name": "lib", "version": "1.0.0" }')
  writeFileSync(join(folder, 'node_modules', 'lib', 'index.js'), `${text}\n`)
}

function writePatch(value: string): void {
  const file = 'node_modules/lib/index.js'
  writeFileSync(
    join(folder, 'patches', 'lib+1.0.0.patch'),
    `diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-const value = "old"\n+const value = "${value}"\n`,
  )
}

const installed = () => readFileSync(join(folder, 'node_modules', 'lib', 'index.js'), 'utf8').trim()
const ensure = () =>
  ensurePatches(folder, {
    node: process.execPath,
    lock: (work) => {
      locked++
      return work()
    },
  })

describe('patches of packages', () => {
  it('are applied once, and looked at without any work afterwards', async () => {
    await ensure()
    expect(installed()).toBe('const value = "new"')
    await ensure()
    expect(locked).toBe(1)
  })

  it('are applied again to a package that was installed again', async () => {
    await ensure()
    install('const value = "old"')
    await ensure()
    expect(installed()).toBe('const value = "new"')
  })

  it('are left as they are where somebody has applied them by hand', async () => {
    install('const value = "new"')
    await ensure()
    expect(installed()).toBe('const value = "new"')
    expect(locked).toBe(1)
  })

  it('that do not fit stop the set-up, each time', async () => {
    install('const other = 1')
    await expect(ensure()).rejects.toThrow(/^Cannot mend the installed packages/)
    await expect(ensure()).rejects.toThrow(/patch-package/)
    expect(installed()).toBe('const other = 1')
  })
})
