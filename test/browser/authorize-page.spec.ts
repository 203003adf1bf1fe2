import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { writeStrangersKey } from '#test/support/browser-world.ts'
import { type KeyedEdge, startKeyedEdge } from '#test/support/keyed-edge.ts'
import { expect, test } from './fixtures.ts'

// The page on which a person lets a program in, with a key that npm run keys has made.

const VERIFIER = 'v'.repeat(64)
const CALLBACK = 'http://127.0.0.1:9/callback'

test.describe('the authorize page', () => {
  let keyed: KeyedEdge
  let client: string

  test.beforeAll(async () => {
    keyed = await startKeyedEdge(['--role', 'writer'])
    const registered = await fetch(`${keyed.edge.url}/oauth/register`, {
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

  test.afterAll(() => keyed?.stop())

  const authorize = () =>
    `${keyed.edge.url}/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: client,
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'read write admin',
      state: 'from-the-client',
      resource: `${keyed.edge.url}/mcp`,
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
      [join(keyed.folder, 'anna.pem.pub'), 'This is a public key'],
      [writeStrangersKey(join(keyed.folder, 'short.pem'), 1024), 'Key too short: 1024 bits'],
      [writeStrangersKey(join(keyed.folder, 'stranger.pem')), 'not registered here'],
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
    await page.goto(authorize())
    await page.getByLabel('Keep it in this browser').check()
    await page.getByLabel('Private key').setInputFiles(join(keyed.folder, 'anna.pem'))
    await expect(page.getByRole('heading', { name: 'Decide, Anna' })).toBeVisible()
    await expect(page.getByLabel('Workspace', { exact: true })).toHaveValue('shop')
    await expect(page.getByRole('checkbox', { name: /^read:/ })).toBeChecked()
    await expect(page.getByRole('checkbox', { name: /^write:/ })).toBeChecked()
    await expect(page.getByRole('checkbox', { name: /^admin:/ })).toBeDisabled()
    await expectAccessible()
    await look('authorize-consent')

    const sent = page.waitForRequest((request) => request.url().startsWith(CALLBACK))
    await page.getByRole('button', { name: 'Allow' }).click()
    const back = new URL((await sent).url())
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'from-the-client', iss: keyed.edge.url })
    const response = await fetch(`${keyed.edge.url}/oauth/token`, {
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
    await page.getByRole('button', { name: 'Use the key that this browser keeps' }).click()
    await expect(page.getByRole('heading', { name: 'Decide, Anna' })).toBeVisible()
    const refused = page.waitForRequest((request) => request.url().startsWith(CALLBACK))
    await page.getByRole('button', { name: 'Deny' }).click()
    expect(new URL((await refused).url()).searchParams.get('error')).toBe('access_denied')
  })
})
