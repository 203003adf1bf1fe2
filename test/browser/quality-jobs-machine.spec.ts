import type { Page } from '@playwright/test'
import type { BrowserWorld } from '#test/support/browser-world.ts'
import { expect, test } from './fixtures.ts'

// The views of the repository's quality, of jobs and of the machine, on the whole system with the demo model.

const tangled = [
  'def tangled(a, b):',
  ...Array.from({ length: 9 }, (_each, depth) => `${'    '.repeat(depth + 1)}if a > ${depth} and b:`),
  `${'    '.repeat(10)}return 1`,
  '    return 0',
  '',
].join('\n')

test.use({
  worldOptions: {
    files: {
      'README.md': '# Sample\n',
      'src/broken.py': 'def broken(:\n    pass\n',
      'src/tangled.py': tangled,
      'src/plain.py': 'def plain():\n    return 1\n',
    },
  },
})

/** As somebody with a key, by the page itself. */
async function open(page: Page, world: BrowserWorld, hash: string): Promise<void> {
  await page.goto(new URL(`/orchestrator${hash}`, world.stack.url).href)
  await page.getByLabel('RSA private key').fill(world.privateKey)
  await page.getByRole('button', { name: 'Authenticate', exact: true }).click()
  await expect(page.getByText('Authenticated', { exact: true })).toBeVisible()
}

test.describe('the quality view', () => {
  test('runs the validations, and shows findings, rules, a map and a trend', async ({
    page,
    world,
    look,
    expectAccessible,
  }) => {
    await open(page, world, '#/quality')
    await page.getByRole('button', { name: 'Run validations' }).click()
    await page.getByText('The file parses').click()
    await expect(page.getByRole('link', { name: 'src/broken.py:1' })).toBeVisible()
    await expectAccessible()
    await look('quality-findings')

    await page.getByLabel('Search in paths and messages').fill('no such thing')
    await expect(page.getByText('Nothing matches')).toBeVisible()
    await page.getByLabel('Search in paths and messages').fill('')
    await page.getByLabel('Group by').selectOption('file')
    await expect(page.locator('summary', { hasText: 'src/tangled.py' })).toBeVisible()

    await page.getByRole('tab', { name: 'Rules' }).click()
    await expect(page.getByRole('rowheader', { name: /^Syntax/ })).toBeVisible()
    await expectAccessible()

    await page.getByRole('tab', { name: 'Complexity' }).click()
    const map = page.getByRole('navigation', { name: /Map of files/ })
    await expect(map.getByRole('link', { name: /^src\/tangled\.py, 12 lines, cognitive complexity/ })).toBeVisible()
    await expectAccessible()
    await look('quality-complexity')
    // By the keyboard alone: the folder is the first piece, its largest file the next.
    await map.getByRole('link', { name: /^Folder src/ }).press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { name: 'src/tangled.py' })).toBeVisible()
    await expect(page.getByRole('rowheader', { name: 'tangled' })).toBeVisible()
    await expectAccessible()
    await look('quality-file')

    await page.getByRole('link', { name: 'All of the repository' }).click()
    await page.getByRole('tab', { name: 'Trend' }).click()
    const { head } = await world.client.ok('git_status', {})
    await expect(page.getByRole('table').getByText(String(head).slice(0, 10))).toBeVisible()
    await expect(page.getByRole('img', { name: /^Findings, 1 time/ })).toBeVisible()
    await expectAccessible()
    await look('quality-trend')
  })
})

test.describe('the jobs view', () => {
  test("shows a job's diff, checks and cost, takes its write back, and finds a refusal by its state", async ({
    page,
    world,
    look,
    expectAccessible,
  }) => {
    await world.client.ok('create_agent', {
      agent_id: 'user_model',
      name: 'User model',
      managed_file: 'user.py',
      system_prompt: 'You write Python.',
    })
    const task = { agent_id: 'user_model', message: 'Write a User model with id, name and email.' }
    await world.client.ok('chat_with_agent', task)
    await open(page, world, '#/jobs')
    await expect(page.getByText('Nothing is at work')).toBeVisible()
    await page.getByLabel('Agent, by its whole id').fill('user_model')
    await expectAccessible()
    await look('jobs')

    await page.getByRole('link', { name: 'Chat with agent' }).click()
    await expect(page.getByRole('insertion').filter({ hasText: 'class User:' })).toBeVisible()
    await expect(page.getByText('Checks passed')).toBeVisible()
    await expect(page.getByRole('heading', { name: 'Cost' })).toBeVisible()
    await expectAccessible()
    await look('job')
    await page.getByRole('button', { name: 'Take it back' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await expect(page.getByRole('deletion').filter({ hasText: 'class User:' })).toBeVisible()
    expect((await world.client.call('read_file', { path: 'user.py' })).error?.code).toBe('not_found')

    // The write is gone, so that there is nothing to take back once more.
    const first = (await world.client.ok('list_jobs', { state: 'succeeded', agent_id: 'user_model' })).jobs as {
      job_id: string
    }[]
    const again = { agent_id: 'user_model', message: 'Take it back', revert: first.at(-1)?.job_id }
    expect((await world.client.call('chat_with_agent', again)).success).toBe(false)
    await page.getByRole('link', { name: 'All jobs' }).click()
    await page.getByLabel('State').selectOption('failed')
    await page.getByRole('link', { name: 'Chat with agent' }).first().click()
    await expect(page.getByRole('heading', { name: /^Refused: / })).toBeVisible()
    await expectAccessible()
  })
})

test.describe('the machine view', () => {
  test('shows worker, model, charts and the lines for clients, and ends another session', async ({
    page,
    browser,
    world,
    look,
    expectAccessible,
  }) => {
    const elsewhere = await browser.newContext()
    await open(await elsewhere.newPage(), world, '#/machine')
    await open(page, world, '#/machine')
    await expect(page.getByText('1 connected')).toBeVisible()
    await expect(page.getByRole('list', { name: 'Models' }).getByText('demo', { exact: true })).toBeVisible()
    await expect(page.getByRole('img', { name: /^Memory, \d+ times? from .*Worker [\d.]+ MiB at last/ })).toBeVisible()
    await expect(page.getByText('claude mcp add --transport http millwright')).toBeVisible()
    await page.getByRole('tab', { name: 'VS Code' }).click()
    await expect(page.getByText('.vscode/mcp.json')).toBeVisible()
    await expectAccessible()
    await look('machine')

    await page
      .getByRole('button', { name: /^End session/ })
      .first()
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click()
    await expect(page.getByText('is over')).toBeVisible()
    await elsewhere.close()
  })

  test('says that nobody is signed in', async ({ page, world, expectAccessible }) => {
    for (const hash of ['#/quality', '#/jobs', '#/machine']) {
      await page.goto(new URL(`/orchestrator${hash}`, world.stack.url).href)
      await expect(page.getByText(/^Authenticate to see/).first()).toBeVisible()
    }
    await expectAccessible()
  })
})
