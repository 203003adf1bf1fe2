import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBrowser, openPage, type Page } from '../support/browser.ts'
import { registerKey } from '../support/register-key.ts'
import { startTestStack, type TestStack } from '../support/test-stack.ts'

// The orchestrator in a real browser: signing in, the list of agents, signing out. Set MILLWRIGHT_SCREENSHOTS to a folder
// to look at the page afterwards.

const binary = findBrowser()
const screenshots = process.env.MILLWRIGHT_SCREENSHOTS

describe.skipIf(binary === undefined)('the orchestrator (skipped without a Chromium on the PATH)', () => {
  let world: TestStack
  let keys: string
  let url: string
  let page: Page

  beforeAll(async () => {
    world = await startTestStack()
    url = new URL(world.stack().url).origin
    keys = dirname(await registerKey(world.stack(), join(world.repository.folder, 'keys'), 'writer'))
    page = await openPage(binary ?? '', { width: 1024, height: 900 })
  })

  afterAll(async () => {
    await page.close()
    await world.stop()
  })

  /** As a person types, so that React hears of it. */
  const fill = (selector: string, text: string) =>
    page.evaluate(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)})
      const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')
      set.call(field, ${JSON.stringify(text)})
      field.dispatchEvent(new Event('input', { bubbles: true }))
    })()`)
  const press = (label: string) =>
    page.evaluate(
      `[...document.querySelectorAll('button')].findLast((button) => button.textContent.trim() === ${JSON.stringify(label)}).click()`,
    )
  const shows = (text: string) => page.until(`document.body.innerText.includes(${JSON.stringify(text)})`)
  const isProtected = () => page.evaluate(`document.querySelector('[data-protected]').inert`)
  const kept = (name: string) =>
    page.evaluate(`JSON.parse(localStorage.getItem('millwright.session') ?? '{}').${name} ?? null`)

  async function look(name: string): Promise<void> {
    if (screenshots === undefined) return
    mkdirSync(screenshots, { recursive: true })
    writeFileSync(join(screenshots, `${name}.png`), await page.screenshot())
  }

  it('says what is wrong with a key, and keeps the panels shut', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const stranger = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    await page.goTo(`${url}/`)
    await shows('Authentication')
    expect(await isProtected()).toBe(true)
    for (const [text, says] of [
      ['', 'There is no key yet'],
      [readFileSync(join(keys, 'anna.pem.pub'), 'utf8'), 'This is a public key'],
      [stranger, 'This key is not registered'],
    ]) {
      await fill('textarea', text ?? '')
      await press('Authenticate')
      await shows(says ?? '')
    }
    await look('1-refused')
    expect(await isProtected()).toBe(true)
    expect(await kept('access_token')).toBe(null)
  })

  it('signs in with a pasted key, and says who is signed in by which session', async () => {
    await fill('textarea', readFileSync(join(keys, 'anna.pem'), 'utf8'))
    await press('Authenticate')
    await page.until(`document.querySelector('[data-light=good]')?.textContent === 'Authenticated'`)
    expect(await isProtected()).toBe(false)
    const session = await kept('session_id')
    expect(session).toMatch(/^s_/)
    expect(await page.evaluate(`document.querySelector('[data-session-id]').textContent`)).toBe(session)
    expect(await page.evaluate(`Object.values(localStorage).join().includes('PRIVATE KEY')`)).toBe(false)
    await shows('There are no agents yet')
  })

  it('creates an agent, says of a second one that the file has an owner, edits and deletes', async () => {
    await press('Create agent')
    await press('Create agent')
    await shows('Is needed')
    const values = {
      agent_id: 'test-agent-001',
      name: 'Test Agent',
      managed_file: 'test_file.py',
      system_prompt: 'You are a test agent',
    }
    for (const [name, text] of Object.entries(values)) await fill(`dialog [name=${name}]`, text)
    await press('Create agent')
    await page.until(`document.querySelector('.agent-row strong')?.textContent === 'test-agent-001'`)
    await look('2-agents')
    await press('Create agent')
    for (const [name, text] of Object.entries({ ...values, agent_id: 'second' }))
      await fill(`dialog [name=${name}]`, text)
    await press('Create agent')
    await shows('test_file.py')
    await page.until(`document.querySelector('dialog [role=alert]')?.textContent.includes('test-agent-001') === true`)
    await press('Cancel')
    await press('Edit')
    await page.until(`document.querySelector('dialog [name=system_prompt]')?.value === 'You are a test agent'`)
    await look('3-edit')
    await fill('dialog [name=name]', 'Renamed')
    await press('Save')
    await page.until(`document.querySelector('.agent-name .soft')?.textContent === 'Renamed'`)
    await press('Delete')
    await shows('Delete test-agent-001?')
    await page.evaluate(`document.querySelector('dialog .button-danger').click()`)
    await shows('There are no agents yet')
  })

  it('shows thousands of agents and draws only those that are seen', async () => {
    for (let start = 0; start < 450; start += 25) {
      await Promise.all(
        Array.from({ length: 25 }, (_, index) => {
          const id = `agent-${String(start + index).padStart(4, '0')}`
          return world.client.ok('create_agent', {
            agent_id: id,
            name: id,
            managed_file: `${id}.ts`,
            system_prompt: '',
          })
        }),
      )
    }
    await press('Refresh')
    await shows('450 agents')
    const toEnd = `document.querySelector('.agent-scroller').scrollTo(0, 1e6)`
    await page.until(`(${toEnd}, document.body.innerText.includes('agent-0449'))`)
    expect(await page.evaluate(`document.querySelectorAll('.agent-row').length`)).toBeLessThan(60)
    await fill('input[type=search]', 'agent-0007')
    await shows('1 agent')
    await look('4-search')
  })

  it('is signed in after a reload, and signs out at the server as well', async () => {
    await page.goTo(`${url}/orchestrator`)
    await page.until(`document.querySelector('[data-light=good]')?.textContent === 'Authenticated'`)
    const token = await kept('access_token')
    await press('Sign out')
    await shows('Not authenticated')
    expect(await isProtected()).toBe(true)
    await expect
      .poll(async () => {
        const response = await fetch(`${url}/auth/session`, {
          headers: { authorization: `Bearer ${token}` },
        })
        return response.status
      })
      .toBe(401)
  })

  it('ran nothing that its policy forbids, and reported no error', () => {
    expect(page.reports.filter((report) => !/status of 401/.test(report))).toEqual([])
  })
})
