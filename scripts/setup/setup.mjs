import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBubblewrap } from './bubblewrap.mjs'
import { ensureChromium } from './chromium.mjs'
import { ensureDependencies } from './dependencies.mjs'
import { withLock } from './lock.mjs'
import { ensureNatsServer } from './nats-server.mjs'
import { ensureNode } from './node.mjs'
import { ensurePage } from './page.mjs'
import { ensurePatches } from './patches.mjs'
import { projectFolder, toolsFolder } from './paths.mjs'

/**
 * Runs work while no other set-up of the same checkout does.
 * @typedef {<T>(work: () => Promise<T>) => Promise<T>} Lock
 */

/**
 * Makes sure that everything is there, bringing what is missing. Says a line for each thing it brings and nothing
 * when all is there. Throws a SetupError for what it could not bring; only without bubblewrap and Chromium it goes on.
 * @param {{ natsServer: boolean, page: boolean, chromium: boolean, bubblewrap: 'no' | 'once' | 'again' }} needs `once`: what
 * could not be brought is not tried again at each start
 * @returns {Promise<{ node: { path: string, version: string }, natsServer: string | undefined, bubblewrap: string | undefined, chromium: import('./chromium.mjs').Chromium | undefined }>}
 */
export async function setUp(needs) {
  /** @type {Lock} */
  const lock = (work) => {
    mkdirSync(toolsFolder, { recursive: true })
    return withLock(join(toolsFolder, 'setup.lock'), work)
  }
  const node = await ensureNode(toolsFolder, { lock })
  await ensureDependencies(projectFolder, { node: node.path, lock })
  await ensurePatches(projectFolder, { node: node.path, lock })
  if (needs.page) await ensurePage(projectFolder, { node: node.path, lock })
  const natsServer = needs.natsServer ? await ensureNatsServer(toolsFolder, { lock }) : undefined
  const bubblewrap =
    needs.bubblewrap === 'no'
      ? undefined
      : await ensureBubblewrap(toolsFolder, { lock, isTriedAgain: needs.bubblewrap === 'again' })
  const chromium = needs.chromium ? await ensureChromium(toolsFolder, { lock }) : undefined
  return { node, natsServer, bubblewrap, chromium }
}
