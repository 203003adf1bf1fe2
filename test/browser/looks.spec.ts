import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { projectFolder } from '#scripts/setup/paths.mjs'
import type { ChatWorld } from '#test/support/chat-world.ts'
import { startShopWorld } from '#test/support/shop-world.ts'
import { expect, test } from './fixtures.ts'
import { executeTool, fillFields, selectTool } from './procedures/page-words.ts'

// Every view on a narrow, a common and a wide screen, light and dark: nothing that axe finds serious, nothing beside the
// screen, no complaint, and a picture of each in reports/screenshots/.

const widths = [360, 1024, 1920] as const
const schemes = ['light', 'dark'] as const

interface Scene {
  readonly name: string
  /** Behind the `#` of the address. Scenes of one address come one after the other in one page. */
  readonly hash: string
  /** Brings the view to where it shows something, and resolves to what must be seen then. */
  readonly arrange: (page: Page) => Promise<Locator> | Locator
}

/** Runs in the page: an editor measures its lines only once it has been seen, and a picture of the whole page shows all of them. */
const scrollThrough = `(async () => {
  for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight / 2) {
    scrollTo(0, top)
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
  }
  scrollTo(0, 0)
  await new Promise(requestAnimationFrame)
})()`

/** The change and the file come after the rest of the page. */
async function changeIsDrawn(page: Page): Promise<Locator> {
  await expect(page.getByRole('tabpanel').getByText('raise ValueError')).toBeVisible()
  return page.getByRole('list', { name: 'Conversation, newest first' }).getByText('raise ValueError')
}

async function openTab(page: Page, name: string | RegExp): Promise<Locator> {
  await page.getByRole('tab', { name }).click()
  return page.getByRole('tabpanel')
}

const scenes: readonly Scene[] = [
  { name: 'agents', hash: '/agents', arrange: (page) => page.getByRole('link', { name: 'price_page' }) },
  {
    name: 'agent',
    hash: '/agents/cart',
    arrange: changeIsDrawn,
  },
  {
    name: 'agent-proposal',
    hash: '/agents/invoice',
    arrange: (page) => page.getByRole('button', { name: 'Accept' }),
  },
  { name: 'agent-jobs', hash: '/agents/cart', arrange: (page) => openTab(page, 'Jobs') },
  { name: 'agent-figures', hash: '/agents/cart', arrange: (page) => openTab(page, 'Figures') },
  { name: 'agent-settings', hash: '/agents/cart', arrange: (page) => openTab(page, 'Settings') },
  {
    name: 'tools',
    hash: '/tools',
    async arrange(page) {
      await selectTool(page, 'read_file')
      await fillFields(page, 'read_file', { Path: 'shop/cart.py' })
      return await executeTool(page, 'read_file')
    },
  },
  {
    name: 'repository-file',
    hash: '/repository',
    async arrange(page) {
      await page.getByRole('treeitem', { name: /^shop/ }).click()
      await page.getByRole('treeitem', { name: /cart\.py/ }).click()
      return page.getByText('def discount').first()
    },
  },
  {
    name: 'repository-changes',
    hash: '/repository',
    async arrange(page) {
      await page.getByRole('tab', { name: /^Changes/ }).click()
      return page.getByText('prices.md').first()
    },
  },
  {
    name: 'repository-log',
    hash: '/repository',
    async arrange(page) {
      const log = await openTab(page, /^Log/)
      await log.getByRole('button').first().click()
      return log.getByText('README.md').first()
    },
  },
  { name: 'quality', hash: '/quality', arrange: (page) => page.getByText('Files of code have a test') },
  {
    name: 'quality-complexity',
    hash: '/quality',
    async arrange(page) {
      await page.getByRole('tab', { name: 'Complexity' }).click()
      return page.getByRole('navigation', { name: /Map of files/ })
    },
  },
  { name: 'quality-rules', hash: '/quality', arrange: (page) => openTab(page, 'Rules') },
  { name: 'quality-trend', hash: '/quality', arrange: (page) => openTab(page, 'Trend') },
  {
    name: 'quality-file',
    hash: '/quality/file/shop%2Fshipping.py',
    arrange: (page) => page.getByRole('rowheader', { name: 'cost' }),
  },
  { name: 'jobs', hash: '/jobs', arrange: (page) => page.getByRole('link', { name: 'Chat with agent' }).first() },
  {
    name: 'job',
    hash: '/jobs',
    async arrange(page) {
      await page.getByLabel('Agent, by its whole id').fill('cart')
      await page.getByRole('link', { name: 'Chat with agent' }).first().click()
      return page.getByText('raise ValueError')
    },
  },
  { name: 'machine', hash: '/machine', arrange: (page) => page.getByRole('heading', { name: 'Worker' }).first() },
]

// The pictures tell what a trace would.
test.use({ trace: 'off' })

test.describe('looks', () => {
  let world: ChatWorld

  test.beforeAll(async ({ browserMissing }) => {
    test.setTimeout(120_000)
    if (browserMissing === undefined) world = await startShopWorld()
  })

  test.afterAll(() => world?.stop())

  async function open(page: Page, hash: string): Promise<void> {
    await page.goto(`${world.stack.pageUrl}orchestrator#${hash}`)
    await expect(page.getByRole('heading', { name: 'Authentication' })).toBeVisible()
  }

  async function signIn(page: Page): Promise<void> {
    await page.getByRole('textbox', { name: 'RSA private key' }).fill(world.privateKey)
    await page.getByRole('button', { name: 'Authenticate', exact: true }).click()
    await expect(page.getByRole('banner').getByRole('status')).toContainText('Authenticated')
  }

  interface Looks {
    readonly look: (name: string) => Promise<void>
    readonly expectAccessible: () => Promise<void>
  }

  async function lookFromAllSides(page: Page, name: string, { look, expectAccessible }: Looks): Promise<void> {
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 600 ? 780 : 900 })
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme })
        await page.evaluate(scrollThrough)
        await expect(page.getByRole('navigation', { name: 'Views' }).locator('[aria-current]')).toBeInViewport({
          ratio: 0.9,
        })
        await look(`view-${name}-${width}-${colorScheme}`)
        // Colours do not depend on the width, and the widest screen shows what the common one does.
        if (width === widths[0] || (width === widths[1] && colorScheme === 'light')) await expectAccessible()
      }
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, `what sticks out sideways at ${width} px`).toBeLessThanOrEqual(0)
    }
  }

  test('signed out', async ({ page, look, expectAccessible, complaints }) => {
    test.setTimeout(150_000)
    await open(page, '/agents')
    await lookFromAllSides(page, 'signed-out', { look, expectAccessible })
    expect(complaints.policyViolations()).toBe(0)
  })

  for (const [hash, views] of Map.groupBy(scenes, (scene) => scene.hash)) {
    test(views.map(({ name }) => name).join(', '), async ({ page, look, expectAccessible, complaints }) => {
      test.setTimeout(150_000)
      await open(page, hash)
      await signIn(page)
      for (const { name, arrange } of views) {
        await expect(await arrange(page)).toBeVisible()
        await lookFromAllSides(page, name, { look, expectAccessible })
      }
      expect(complaints.policyViolations()).toBe(0)
    })
  }

  // `docs/pictures/` holds copies of these two.
  test('as the README shows it', async ({ page }) => {
    await page.setViewportSize({ width: 1200, height: 720 })
    await open(page, '/agents')
    await signIn(page)
    await expect(page.getByRole('link', { name: 'price_page' })).toBeVisible()
    await page.screenshot({ path: picture('agents') })
    await page.goto(`${world.stack.pageUrl}orchestrator#/agents/cart`)
    await expect(await changeIsDrawn(page)).toBeVisible()
    await page.setViewportSize({ width: 1200, height: 545 })
    // The double has no speed that may be shown as one: the change is what the picture is of.
    await page.evaluate(`document.querySelector('.diff-view').scrollIntoView()`)
    await page.screenshot({ path: picture('agent') })
  })
})

const picture = (name: string): string => join(projectFolder, 'reports', 'screenshots', `readme-${name}.png`)
