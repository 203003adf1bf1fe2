import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { type ChatWorld, fenced, startChatWorld } from '#test/support/chat-world.ts'
import { expect, test } from './fixtures.ts'

// One person with two tabs. What is done in the one is seen in the other without being asked for.

const BEFORE = 'def greet():\n    return "Hello"\n'
const MORNING = 'def greet():\n    return "Good morning"\n'
const EVENING = 'def greet():\n    return "Good evening"\n'

test.describe('two tabs', () => {
  let world: ChatWorld

  test.beforeAll(async ({ browserMissing }) => {
    if (browserMissing !== undefined) return
    world = await startChatWorld({ 'greet.py': BEFORE, 'other.py': 'x = 1\n' })
    for (const [agent_id, managed_file] of [
      ['greeter', 'greet.py'],
      ['other', 'other.py'],
    ] as const) {
      const system_prompt = 'Write Python.'
      await world.client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt })
    }
    world.answer('Say good morning', fenced('greet.py', MORNING))
    world.answer('Say good evening', fenced('greet.py', EVENING))
  })

  test.afterAll(() => world?.stop())

  async function send(tab: Page, message: string): Promise<void> {
    await tab.getByLabel('Task for greeter').fill(message)
    await tab.getByRole('button', { name: 'Send' }).click()
  }

  test('chat with one agent at once, lose one that the other deletes, and sign out together', async ({
    page: one,
    context,
    complaints,
    look,
  }) => {
    await world.open(one, 'greeter')
    const two = await context.newPage()
    await two.goto(one.url())
    const tabs = [one, two]

    await test.step('both give it a task, and both see both, one after the other', async () => {
      await Promise.all([send(one, 'Say good morning'), send(two, 'Say good evening')])
      for (const tab of tabs) {
        const turns = tab.getByRole('list', { name: 'Conversation, newest first' }).locator('> li')
        await expect(turns.filter({ hasText: 'Checks passed' })).toHaveCount(2)
        for (const task of ['Say good morning', 'Say good evening']) {
          await expect(turns.filter({ hasText: task })).toHaveCount(1)
        }
      }
      const written = readFileSync(join(world.repository.root, 'greet.py'), 'utf8')
      expect([MORNING, EVENING]).toContain(written)
      const line = /"(.*)"/.exec(written)?.[1] ?? ''
      for (const tab of tabs) await expect(tab.getByRole('tabpanel').getByText(`"${line}"`)).toBeVisible()
    })

    await test.step('the list is without what the other tab has deleted', async () => {
      await one.getByRole('link', { name: '← All agents' }).click()
      await expect(one.getByRole('link', { name: 'greeter' })).toBeVisible()
      await two.getByRole('tab', { name: 'Settings' }).click()
      await two.getByRole('button', { name: 'Delete' }).click()
      await two.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      for (const tab of tabs) {
        await expect(tab.getByRole('link', { name: 'greeter' })).toHaveCount(0)
        await expect(tab.getByText('1 agent', { exact: true })).toBeVisible()
      }
    })

    await test.step('the page of an agent says that the other tab has deleted it', async () => {
      await one.getByRole('link', { name: 'other' }).click()
      await expect(one.getByLabel('Task for other')).toBeVisible()
      await one.getByLabel('Task for other').fill('A half-written task')
      await two.getByRole('button', { name: 'Delete other' }).click()
      await two.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await expect(two.getByText('There are no agents yet')).toBeVisible()
      await expect(one.getByRole('alert').filter({ hasText: 'other' })).toBeVisible()
      await expect(one.getByRole('button', { name: 'Send' })).toHaveCount(0)
      await expect(one.getByRole('link', { name: '← All agents' })).toBeVisible()
      await look('agent-deleted-elsewhere')
    })

    await test.step('signed out in one, signed out in both', async () => {
      await two.getByRole('button', { name: 'Sign out' }).click()
      for (const tab of tabs) await expect(tab.getByRole('heading', { name: 'Authentication' })).toBeVisible()
    })
    expect(complaints.policyViolations()).toBe(0)
  })
})
