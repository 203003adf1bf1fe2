import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EdgeServer } from '#functions/entry.node.ts'
import { findBrowser, openPage, type Page } from '../support/browser.ts'
import { type KeyedEdge, startKeyedEdge } from '../support/keyed-edge.ts'

// The authorize page in a real browser, with a key that npm run keys has made. Set MILLWRIGHT_SCREENSHOTS to a folder to
// look at the page afterwards.

const binary = findBrowser()
const VERIFIER = 'v'.repeat(64)
const CALLBACK = 'http://127.0.0.1:9/callback'
const screenshots = process.env.MILLWRIGHT_SCREENSHOTS

// Without a browser there is nothing to drive; the steps themselves are tested in functions/oauth.
describe.skipIf(binary === undefined)('the authorize page (skipped without a Chromium on the PATH)', () => {
  let folder: string
  let world: KeyedEdge
  let edge: EdgeServer
  let page: Page
  let client: string

  beforeAll(async () => {
    world = await startKeyedEdge(['--role', 'writer'])
    ;({ edge, folder } = world)
    writeFileSync(
      join(folder, 'stranger.pem'),
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    )
    writeFileSync(
      join(folder, 'short.pem'),
      generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    )
    const registered = await fetch(`${edge.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: '<b>Assistant</b>',
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'none',
      }),
    })
    client = JSON.parse(await registered.text()).client_id
    page = await openPage(binary ?? '', { width: 900, height: 1100 })
  })

  afterAll(async () => {
    await page.close()
    await world.stop()
  })

  const authorize = () =>
    `${edge.url}/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: client,
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'read write admin',
      state: 'from-the-client',
      resource: `${edge.url}/mcp`,
    })}`

  async function look(name: string): Promise<void> {
    if (screenshots === undefined) return
    mkdirSync(screenshots, { recursive: true })
    writeFileSync(join(screenshots, `${name}.png`), await page.screenshot())
  }

  const text = (selector: string) => page.evaluate(`document.querySelector('${selector}').textContent.trim()`)
  const isShown = (id: string) => `document.getElementById('${id}')?.hidden === false`

  const backAt = async (): Promise<URL> => {
    await expect.poll(() => page.visits.some((url) => url.startsWith(CALLBACK)), { timeout: 10_000 }).toBe(true)
    return new URL(page.visits.findLast((url) => url.startsWith(CALLBACK)) ?? '')
  }

  it('shows who asks as text, and says what is wrong with a key', async () => {
    await page.goTo(authorize())
    await page.until(isShown('sign-in'))
    expect(await text('#client-name')).toBe('<b>Assistant</b>')
    expect(await page.evaluate(`document.querySelector('#client-name').children.length`)).toBe(0)
    expect(await page.evaluate(isShown('loopback'))).toBe(true)
    await look('1-who-asks')
    for (const [file, says] of [
      ['anna.pem.pub', 'This is a public key'],
      ['short.pem', 'Key too short: 1024 bits'],
      ['stranger.pem', 'not registered here'],
    ]) {
      await page.choose('#key', join(folder, file ?? ''))
      await page.until(`document.getElementById('message').textContent.includes(${JSON.stringify(says)})`)
      expect(await page.evaluate(isShown('consent'))).toBe(false)
    }
    await look('2-refused')
  })

  it('lets a program in that the person allows, with what their role has of what it asked', async () => {
    await page.evaluate(`document.getElementById('remember').checked = true`)
    await page.choose('#key', join(folder, 'anna.pem'))
    await page.until(isShown('consent'))
    expect(await text('#user-name')).toBe('Anna')
    expect(await text('#workspace')).toBe('shop (writer)')
    const ticked = `[...document.querySelectorAll('input[name=scope]')].map((box) => [box.value, box.checked, box.disabled])`
    expect(await page.evaluate(ticked)).toEqual([
      ['read', true, false],
      ['write', true, false],
      ['admin', false, true],
    ])
    await look('3-consent')
    await page.click('#allow')
    const back = await backAt()
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'from-the-client', iss: edge.url })
    const response = await fetch(`${edge.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        client_id: client,
        redirect_uri: CALLBACK,
        code_verifier: VERIFIER,
      }),
    })
    expect(JSON.parse(await response.text())).toMatchObject({ scope: 'read write' })
  })

  it('signs with the key that the browser keeps, which cannot be read, and takes a no', async () => {
    await page.goTo(authorize())
    await page.until(isShown('kept'))
    const exported = `new Promise((resolve, reject) => {
      const opening = indexedDB.open('millwright', 1)
      opening.onerror = () => reject(opening.error)
      opening.onsuccess = () => {
        const asked = opening.result.transaction('keys').objectStore('keys').get('sign-in')
        asked.onsuccess = () => resolve(asked.result.key)
      }
    }).then((key) => crypto.subtle.exportKey('pkcs8', key)).then(() => 'read', (error) => error.name)`
    expect(await page.evaluate(exported)).toBe('InvalidAccessError')
    await page.click('#use-kept')
    await page.until(isShown('consent'))
    await page.click('#deny')
    await expect.poll(async () => (await backAt()).searchParams.get('error'), { timeout: 10_000 }).toBe('access_denied')
  })

  it('ran nothing that its policy forbids', () => {
    const failures = page.reports.filter((report) => !/status of 40[01]|ERR_CONNECTION_REFUSED|favicon/.test(report))
    expect(failures).toEqual([])
  })
})
