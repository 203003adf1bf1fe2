import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { writeStrangersKey } from '#test/support/browser-world.ts'
import { registerKey } from '#test/support/register-key.ts'
import { expect, test } from './fixtures.ts'

// The page on which a person lets a program in, with a key that npm run keys has made.

const VERIFIER = 'v'.repeat(64)
const CALLBACK = 'http://127.0.0.1:9/callback'

/** Runs in the page: whether the key in its store could be taken out of the browser. */
const keptKeyIsReadable = `new Promise((resolve, reject) => {
  const opening = indexedDB.open('millwright')
  opening.onerror = () => reject(opening.error)
  opening.onsuccess = () => {
    const asked = opening.result.transaction('keys').objectStore('keys').get('sign-in')
    asked.onerror = () => reject(asked.error)
    asked.onsuccess = () => resolve(asked.result.key.extractable)
  }
})`

test.describe('the authorize page', () => {
  let folder: string
  let edge: EdgeServer
  let client: string

  test.beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-authorize-'))
    const workspace = toWorkspaceId('shop')
    // Nothing here needs a worker, nor NATS.
    edge = await serveEdge(
      parseConfig({
        NATS_URL: 'nats://127.0.0.1:1',
        MILLWRIGHT_DATA: join(folder, 'edge'),
        MILLWRIGHT_WORKSPACE: workspace,
        MILLWRIGHT_PORT: '0',
      }),
      { info: () => undefined, error: () => undefined },
    )
    await registerKey({ dataFolder: folder, workspace }, folder, 'writer')
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
  })

  test.afterAll(async () => {
    await edge?.close()
    rmSync(folder, { recursive: true })
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

  test('shows who asks as text, and says what is wrong with a key', async ({
    page,
    complaints,
    look,
    expectAccessible,
  }) => {
    // The server's answer to the stranger's key.
    complaints.allow(/status of 40[01]/)
    await page.goto(authorize())
    await expect(page.getByText('<b>Assistant</b>', { exact: true })).toBeVisible()
    await expect(page.getByText('That is a program on this computer')).toBeVisible()
    await expectAccessible()
    await look('authorize-who-asks')
    const wrong = [
      [join(folder, 'anna.pem.pub'), 'This is a public key'],
      [writeStrangersKey(join(folder, 'short.pem'), 1024), 'Key too short: 1024 bits'],
      [writeStrangersKey(join(folder, 'stranger.pem')), 'not registered here'],
    ] as const
    for (const [file, says] of wrong) {
      await page.getByLabel('Private key').setInputFiles(file)
      await expect(page.getByRole('status')).toContainText(says)
      await expect(page.getByRole('button', { name: 'Allow' })).toBeHidden()
    }
    await look('authorize-refused')
  })

  test('lets a program in that the person allows, with what their role has of what it asked; and takes a no by the kept key', async ({
    page,
    look,
    expectAccessible,
  }) => {
    // The client that waits for the person to come back.
    await page.route(`${CALLBACK}**`, (route) => route.fulfill({ contentType: 'text/plain', body: 'Back' }))
    const isBack = (url: URL): boolean => url.href.startsWith(CALLBACK)
    await page.goto(authorize())
    await page.getByLabel('Keep it in this browser').check()
    await page.getByLabel('Private key').setInputFiles(join(folder, 'anna.pem'))
    await expect(page.getByRole('heading', { name: 'Decide, Anna' })).toBeVisible()
    await expect(page.getByLabel('Workspace', { exact: true })).toHaveValue('shop')
    await expect(page.getByRole('checkbox', { name: /^read:/ })).toBeChecked()
    await expect(page.getByRole('checkbox', { name: /^write:/ })).toBeChecked()
    await expect(page.getByRole('checkbox', { name: /^admin:/ })).toBeDisabled()
    await expectAccessible()
    await look('authorize-consent')

    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(isBack)
    const back = new URL(page.url())
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

    await page.goto(authorize())
    expect(await page.evaluate(keptKeyIsReadable)).toBe(false)
    await page.getByRole('button', { name: 'Use the key that this browser keeps' }).click()
    await expect(page.getByRole('heading', { name: 'Decide, Anna' })).toBeVisible()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.waitForURL(isBack)
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied')
  })
})
