import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { test as base, expect } from '@playwright/test'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { type BrowserWorld, type BrowserWorldOptions, startBrowserWorld } from '#test/support/browser-world.ts'
import { type PageComplaints, watchContext } from './complaints.ts'

interface TestFixtures {
  /** Skips where there is no browser, before anything is started. */
  readonly browserIsThere: undefined
  /** What the pages complained of. A test in which anything is left at its end has failed. */
  readonly complaints: PageComplaints
  /** Writes `reports/screenshots/NAME.png`, of the whole page. */
  readonly look: (name: string) => Promise<void>
  /** Rejects where axe finds anything serious or critical in the page as it is. */
  readonly expectAccessible: () => Promise<void>
}

interface WorkerFixtures {
  /** For `test.use`, in files that need another world. */
  readonly worldOptions: BrowserWorldOptions
  /** The whole system, one for each worker of the test runner and each value of `worldOptions`. */
  readonly world: BrowserWorld
  /** Why there is no browser. */
  readonly browserMissing: string | undefined
}

/** Playwright's `test`: each page fails its test by an error in the console, or by what its policy has blocked. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  worldOptions: [{}, { option: true, scope: 'worker' }],
  browserMissing: [process.env.MILLWRIGHT_CHROMIUM_MISSING, { option: true, scope: 'worker' }],

  browserIsThere: [
    async ({ browserMissing }, use, testInfo) => {
      testInfo.skip(browserMissing !== undefined, browserMissing ?? '')
      await use(undefined)
    },
    { auto: true },
  ],

  world: [
    async ({ worldOptions }, use) => {
      const world = await startBrowserWorld(worldOptions)
      await use(world)
      await world.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  complaints: [
    async ({ context }, use) => {
      const complaints = await watchContext(context)
      await use(complaints)
      expect(complaints.unexpected(), 'errors in the console and violations of the policy').toEqual([])
    },
    { auto: true },
  ],

  look: async ({ page }, use) => {
    await use(async (name) => {
      await page.screenshot({ path: join(projectFolder, 'reports', 'screenshots', `${name}.png`), fullPage: true })
    })
  },

  expectAccessible: async ({ page }, use) => {
    await use(async () => {
      const { violations } = await new AxeBuilder({ page }).analyze()
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      const found = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`)
      expect(found, 'what axe finds serious').toEqual([])
    })
  },
})

export { expect }
