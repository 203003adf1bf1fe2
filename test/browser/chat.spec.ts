import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { type ChatWorld, fenced, startChatWorld } from '#test/support/chat-world.ts'
import { expect, test } from './fixtures.ts'

// An agent's page and its chat on the whole system; only the model is a double, behind its address.

const BEFORE = 'def greet(name):\n    """Say hello."""\n    return "Hello " + name\n'
const AFTER = 'def greet(name):\n    """Say hello to somebody."""\n    return f"Hello {name}!"\n'
const PROPOSED = 'def greet(name):\n    """Say hello to everybody."""\n    return f"Hello, {name}!"\n'

test.describe.configure({ mode: 'serial' })

test.describe('an agent page', () => {
  let world: ChatWorld

  test.beforeAll(async ({ browserMissing }) => {
    if (browserMissing !== undefined) return
    world = await startChatWorld({ 'greet.py': BEFORE, 'other.py': 'x = 1\n' })
    await world.client.ok('create_agent', {
      agent_id: 'greeter',
      name: 'Greets people',
      managed_file: 'greet.py',
      system_prompt: 'Write short Python.',
    })
    world.answer('Say hello to somebody', fenced('greet.py', AFTER))
    world.answer('Say hello to everybody', fenced('greet.py', PROPOSED))
    world.answer('What does it do', 'It says `Hello`.\n```\ngreet("Ann")\n```')
  })

  test.afterAll(() => world?.stop())

  const file = () => readFileSync(join(world.repository.root, 'greet.py'), 'utf8')
  const turns = (page: Page) => page.getByRole('list', { name: 'Conversation, newest first' }).locator('> li')

  async function send(page: Page, message: string, mode: 'Edit' | 'Propose' | 'Ask' = 'Edit') {
    await page.getByLabel('Task for greeter').fill(message)
    await page.getByText(mode, { exact: true }).click()
    await page.getByRole('button', { name: 'Send' }).click()
  }

  test('does a task, shows the change in both ways, remembers which, and takes it back', async ({
    page,
    look,
    expectAccessible,
    complaints,
  }) => {
    complaints.allow(/favicon/)
    await world.open(page, 'greeter')
    await expect(page.getByText('Nothing has been asked yet')).toBeVisible()
    await page.getByLabel('Show the model another file').fill('other.py')
    await page.getByRole('button', { name: 'Add file' }).click()
    await send(page, 'Say hello to somebody')
    const turn = turns(page).first()
    await expect(turn.getByText('Checks passed')).toBeVisible()
    expect(file()).toBe(AFTER)
    expect(world.model.requests.at(-1)?.turns.at(-1)?.text).toContain('other.py')
    await expect(turn.getByText('return "Hello " + name')).toBeVisible()
    await expect(turn.getByText('return f"Hello {name}!"')).toBeVisible()
    await expect(page.getByRole('tabpanel').getByText('Say hello to somebody.')).toBeVisible()
    await expectAccessible()
    for (const width of [360, 1024, 1920]) {
      await page.setViewportSize({ width, height: 900 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await look(`agent-${width}-${colorScheme}`)
      }
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, `what sticks out sideways at ${width} px`).toBeLessThanOrEqual(0)
    }
    await expectAccessible()
    await page.emulateMedia({ colorScheme: 'light' })
    await turn.getByRole('button', { name: 'Inline' }).click()
    await page.reload()
    await expect(turn.getByRole('button', { name: 'Inline' })).toHaveAttribute('aria-pressed', 'true')
    await expect(turn.getByText('return "Hello " + name')).toBeVisible()
    await expectAccessible()
    await look('agent-inline')
    await turn.getByRole('button', { name: 'Side by side' }).click()
    await turn.getByRole('button', { name: 'Undo' }).click()
    await expect(page.getByText('Taken back: the file was as before.')).toBeVisible()
    expect(file()).toBe(BEFORE)
    expect(complaints.policyViolations()).toBe(0)
  })

  test('writes a proposal when it is accepted, and nothing when it is rejected', async ({ page, look }) => {
    await world.open(page, 'greeter')
    await send(page, 'Say hello to everybody', 'Propose')
    const first = turns(page).filter({ hasText: 'Say hello to everybody' }).first()
    await expect(first.getByRole('button', { name: 'Accept' })).toBeVisible()
    expect(file()).toBe(BEFORE)
    await look('agent-proposal')
    await first.getByRole('button', { name: 'Reject' }).click()
    await expect(first.getByText('Rejected: nothing was written.')).toBeVisible()
    await page.reload()
    await expect(first.getByText('Rejected: nothing was written.')).toBeVisible()
    await send(page, 'Say hello to everybody, please', 'Propose')
    const second = turns(page).filter({ hasText: 'everybody, please' }).first()
    await second.getByRole('button', { name: 'Accept' }).click()
    await expect(second.getByText('Accepted: written as it was proposed.')).toBeVisible()
    expect(file()).toBe(PROPOSED)
  })

  test('answers a question in words and leaves the file', async ({ page }) => {
    await world.open(page, 'greeter')
    await send(page, 'What does it do', 'Ask')
    await expect(turns(page).first().locator('pre', { hasText: 'greet("Ann")' })).toBeVisible()
    expect(file()).toBe(PROPOSED)
  })

  test('shows a task as it is written, in two tabs and after a reload, and stops it', async ({
    page,
    context,
    look,
  }) => {
    world.server.fail({ kind: 'silence', afterPieces: 4, pieceMs: 700 })
    await world.open(page, 'greeter')
    await send(page, 'Say hello to somebody')
    await expect(page.getByLabel('The answer as it is written')).toContainText('def greet')
    await expect(page.getByRole('list', { name: 'What was done' })).toContainText('Showing it to the model')
    await look('agent-live')
    const other = await context.newPage()
    await other.goto(page.url())
    await expect(other.getByLabel('The answer as it is written')).toContainText('def greet')
    await expect(other.getByText('Say hello to somebody', { exact: true }).first()).toBeVisible()
    await page.reload()
    await expect(page.getByLabel('The answer as it is written')).toContainText('def greet')
    await other.getByRole('button', { name: 'Stop', exact: true }).click()
    for (const tab of [page, other]) await expect(tab.getByRole('button', { name: 'Stop', exact: true })).toHaveCount(0)
    expect(file()).toBe(PROPOSED)
  })

  test('says that the worker is gone in the middle of a task, and goes on when it is back', async ({
    page,
    complaints,
  }) => {
    test.setTimeout(150_000)
    complaints.allow(/status of 5\d\d/)
    world.server.fail({ kind: 'silence', afterPieces: 4, pieceMs: 700 })
    await world.open(page, 'greeter')
    await send(page, 'Say hello to somebody')
    await expect(page.getByLabel('The answer as it is written')).toContainText('def greet')
    const gone = page.getByText('The worker is gone. The task is kept, and goes on when the worker is back.')
    // What dies is started again, a little later each time: killed until the page has seen that there is none.
    await expect(async () => {
      const { worker } = world.stack.pids()
      if (worker !== undefined) process.kill(worker, 'SIGKILL')
      await expect(gone).toBeVisible({ timeout: 500 })
    }).toPass({ timeout: 60_000 })
    await expect(turns(page).first().getByText('Checks passed')).toBeVisible({ timeout: 90_000 })
    await expect(gone).toHaveCount(0)
    expect(file()).toBe(AFTER)
  })

  test('finds text in the file, and shows jobs, figures and settings', async ({ page, look, expectAccessible }) => {
    await world.open(page, 'greeter')
    await page.getByLabel('Search in greet.py').fill('NAME')
    await expect(page.getByText('1 of 2')).toBeVisible()
    await page.getByLabel('Search in greet.py').press('Enter')
    await expect(page.getByText('2 of 2')).toBeVisible()
    await page.getByRole('tab', { name: 'Jobs' }).click()
    await expect(page.getByRole('list', { name: 'Jobs, newest first' })).toContainText('cancelled')
    await expectAccessible()
    await look('agent-jobs')
    await page.getByRole('tab', { name: 'Figures' }).click()
    await expect(page.getByText('Time to first token')).toBeVisible()
    await expectAccessible()
    await look('agent-figures')
    await page.getByRole('tab', { name: 'Settings' }).click()
    await expect(page.getByText('Write short Python.')).toBeVisible()
    await expectAccessible()
    await look('agent-settings')
  })
})
