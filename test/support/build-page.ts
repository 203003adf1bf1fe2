import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from '#scripts/setup/lock.mjs'
import { ensurePage } from '#scripts/setup/page.mjs'
import { projectFolder, toolsFolder } from '#scripts/setup/paths.mjs'

/** The page as the servers under test serve it; built where its sources have changed. */
export default async function buildPage(): Promise<void> {
  mkdirSync(toolsFolder, { recursive: true })
  await ensurePage(projectFolder, {
    node: process.execPath,
    lock: (work) => withLock(join(toolsFolder, 'setup.lock'), work),
  })
}
