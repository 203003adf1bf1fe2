import type { Page } from '@playwright/test'
import { type ChatWorld, fenced, startChatWorld } from '#test/support/chat-world.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { expect, test } from './fixtures.ts'

// What stands between the page and its work: each has words of its own, and goes away without anybody's doing.

const BEFORE = 'def greet():\n    return "Hello"\n'
const AFTER = 'def greet():\n    return "Good morning"\n'
const EVENING = 'def greet():\n    return "Good evening"\n'

test.describe.configure({ mode: 'serial' })

test.describe('the connection', () => {
  let world: ChatWorld
  /** The address of the model, after it was away. */
  let again: OpenAiServer | undefined

  test.beforeAll(async ({ browserMissing }) => {
    if (browserMissing !== undefined) return
    world = await startChatWorld({ 'greet.py': BEFORE })
    await createAgent('greeter', 'greet.py')
    world.answer('Say good morning', fenced('greet.py', AFTER))
    world.answer('Say good evening', fenced('greet.py', EVENING))
  })

  test.afterAll(async () => {
    await world?.stop()
    await again?.close()
  })

  const createAgent = (agent_id: string, managed_file: string) =>
    world.client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: 'Write Python.' })
  const notice = (page: Page) => page.locator('[data-condition]')
  const light = (page: Page) => page.getByRole('banner').locator('[data-light]').first()

  /** What dies is started again, a little later each time: killed until the page has said that it is gone. */
  async function killUntil(service: 'worker' | 'functions', isSaid: () => Promise<void>): Promise<void> {
    await expect(async () => {
      const pid = world.stack.pids()[service]
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await isSaid()
    }).toPass({ timeout: 60_000 })
  }

  test('says that this computer is offline, and has what has changed when it is back', async ({
    page,
    context,
    complaints,
    look,
    expectAccessible,
  }) => {
    complaints.allow(/ERR_INTERNET_DISCONNECTED/)
    await world.open(page, 'greeter')
    await page.getByRole('link', { name: '← All agents' }).click()
    await expect(page.getByText('1 agent', { exact: true })).toBeVisible()
    await expect(light(page)).toHaveAttribute('data-light', 'good')
    await context.setOffline(true)
    await expect(notice(page)).toHaveAttribute('data-condition', 'offline')
    await expect(notice(page)).toHaveText(/^Offline\. This computer is offline\. The page goes on by itself/)
    await expect(light(page)).toHaveAttribute('data-light', 'waiting')
    await expect(page.getByRole('link', { name: 'greeter' })).toBeVisible()
    await expectAccessible()
    await look('connection-offline')
    await createAgent('meanwhile', 'meanwhile.py')
    await context.setOffline(false)
    await expect(notice(page)).toHaveCount(0)
    await expect(light(page)).toHaveAttribute('data-light', 'good')
    await expect(page.getByRole('link', { name: 'meanwhile' })).toBeVisible()
  })

  test('says that the model is away, and goes on when it answers again', async ({ page, look }) => {
    await world.open(page, 'greeter')
    await world.server.close()
    await page.getByLabel('Task for greeter').fill('Say good morning')
    await page.getByRole('button', { name: 'Send' }).click()
    await expect(notice(page)).toHaveAttribute('data-condition', 'model_unavailable', { timeout: 40_000 })
    await expect(notice(page)).toHaveText(/^Model not ready\. .*The page goes on by itself as soon as it can\.$/)
    await look('connection-model-away')
    again = await startOpenAiServer({ model: world.model }, Number(new URL(world.server.url).port))
    await expect(notice(page)).toHaveCount(0, { timeout: 40_000 })
  })

  test('says that the worker is gone, and that it is back', async ({ page, complaints, look }) => {
    test.setTimeout(120_000)
    complaints.allow(/status of 5\d\d/)
    await world.open(page, 'greeter')
    await killUntil('worker', async () => {
      // As by a person who comes back to the page: the connection is looked at.
      await page.evaluate("window.dispatchEvent(new Event('focus'))")
      await expect(notice(page)).toHaveAttribute('data-condition', 'worker_offline', { timeout: 500 })
    })
    await expect(notice(page)).toHaveText(/^Worker gone\. No worker is connected: start one with npm run worker\./)
    await look('connection-worker-gone')
    await expect(notice(page)).toHaveCount(0, { timeout: 60_000 })
  })

  test('says in the middle of a task that the server does not answer, and shows its end when it is back', async ({
    page,
    complaints,
    look,
  }) => {
    test.setTimeout(150_000)
    complaints.allow(
      /status of 5\d\d|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/,
    )
    const model = again ?? world.server
    model.fail({ kind: 'late', ms: 12_000 })
    await world.open(page, 'greeter')
    await page.getByLabel('Task for greeter').fill('Say good evening')
    await page.getByRole('button', { name: 'Send' }).click()
    await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeVisible()
    await killUntil('functions', async () => {
      await page.evaluate("window.dispatchEvent(new Event('focus'))")
      await expect(notice(page)).toHaveAttribute('data-condition', 'server_unreachable', { timeout: 500 })
    })
    await expect(notice(page)).toHaveText(
      /^Server unreachable\. The server does not answer: is it still running\? The page/,
    )
    await expect(page.getByText('The server does not answer. The task is kept, and goes on')).toBeVisible()
    await expect(light(page)).toHaveAttribute('data-light', 'waiting')
    await look('connection-server-gone')
    await expect(notice(page)).toHaveCount(0, { timeout: 60_000 })
    const turn = page.locator('.turn').filter({ hasText: 'Say good evening' })
    await expect(turn.getByText('Checks passed')).toBeVisible({ timeout: 60_000 })
    await expect(light(page)).toHaveAttribute('data-light', 'good')
  })
})
