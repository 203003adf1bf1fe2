import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyExportOptions } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { createChallenges } from '#functions/auth/challenge.ts'
import { projectFolder } from '#scripts/setup/paths.mjs'
import type { Stack } from '#scripts/stack.ts'
import { expect, test } from './fixtures.ts'
import { authenticateButton, keyField, protectedPanels, SESSION_KEY, sessionStatus } from './procedures/page-words.ts'

// The ways in and out, and what the page says where there is none, against the server itself.

const MINUTE_MS = 60_000
/** As long as the server lets a token live. */
const ACCESS_MS = 15 * MINUTE_MS

type PemOptions = KeyExportOptions<'pem'>
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const toPem = (key: { export(options: PemOptions): string | Buffer }, options: Partial<PemOptions>): string =>
  key.export({ format: 'pem', ...options } as PemOptions).toString()
const strangersKey = toPem(rsa.privateKey, { type: 'pkcs8' })
const shortKey = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey

const wrongKeys: readonly (readonly [what: string, text: string, says: string | RegExp])[] = [
  ['nothing', '', 'There is no key yet. Paste one, or choose its file'],
  ['some words', 'my key', 'This is no private key as PEM: it begins with -----BEGIN PRIVATE KEY-----'],
  ['a public key', toPem(rsa.publicKey, { type: 'spki' }), 'This is a public key. Give the private one'],
  ['a public key of OpenSSH', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB anna@laptop', 'This is a public key'],
  [
    'a key of an elliptic curve',
    toPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, { type: 'pkcs8' }),
    'Not an RSA key',
  ],
  ['a key of Ed25519', toPem(generateKeyPairSync('ed25519').privateKey, { type: 'pkcs8' }), 'Not an RSA key'],
  ['a short key', toPem(shortKey, { type: 'pkcs8' }), 'Key too short: 1024 bits, at least 2048 are needed'],
  ['a short key as PKCS #1', toPem(shortKey, { type: 'pkcs1' }), 'Key too short: 1024 bits'],
  [
    'a key of OpenSSH',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----',
    'Convert a copy of it: ssh-keygen -p -m PKCS8',
  ],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', 'This is a certificate'],
  ['two keys', strangersKey + strangersKey, 'This holds more than one key. Give one key and nothing else'],
  ['half a key', strangersKey.slice(0, 600), 'This key is not whole'],
  ['a damaged key', strangersKey.replace(/\n.{30}/, '\n??????????????????????????????'), 'This key is damaged'],
  [
    'an encrypted key of PKCS #1',
    toPem(rsa.privateKey, { type: 'pkcs1', cipher: 'aes-128-cbc', passphrase: 'x' }),
    'Convert it: openssl pkcs8 -topk8',
  ],
]

/** The texts of all that this browser keeps for the page; the names of its databases. */
const keptInBrowser = `(async () => JSON.stringify({
  local: { ...localStorage },
  session: { ...sessionStorage },
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
  cookies: document.cookie,
}))()`

async function open(page: Page, stack: Stack): Promise<void> {
  await page.goto(new URL('/orchestrator', stack.url).href)
  await expect(keyField(page)).toBeVisible()
}

async function authenticate(page: Page, key: string): Promise<void> {
  await keyField(page).fill(key)
  await authenticateButton(page).click()
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(keyField(page)).toBeVisible()
}

/** How many agents there are, where the list could be had. */
const agentCount = (page: Page) => page.getByText(/^\d+ agents?$/)

/** Lets a file fall on the field, as a person does who drags it there. */
async function drop(page: Page, name: string, text: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(text)}], '${name}')); return data })()`,
  )
  await keyField(page).dispatchEvent('drop', { dataTransfer })
}

/** What the page keeps of its session. */
const keptSession = async (page: Page) =>
  JSON.parse(String(await page.evaluate(`localStorage.getItem('${SESSION_KEY}')`)))

/** Does something to the accounts of a running server, as if it had been long ago or had been done elsewhere. */
async function inAccounts<T>(
  { dataFolder }: Stack,
  work: (sql: ReturnType<typeof openSqlite>) => T | Promise<T>,
): Promise<T> {
  const sql = openSqlite(join(dataFolder, 'edge', 'registry.sqlite'))
  try {
    return await work(sql)
  } finally {
    sql.close()
  }
}

test.describe('signing in', () => {
  test('says beside the field what is wrong with a key, and sends nothing of it', async ({
    page,
    world,
    look,
    expectAccessible,
  }) => {
    const sent: string[] = []
    page.on('request', (request) => {
      if (request.method() !== 'GET') sent.push(request.url())
    })
    await open(page, world.stack)
    for (const [what, text, says] of wrongKeys) {
      await test.step(what, async () => {
        await authenticate(page, text)
        await expect(keyField(page)).toHaveAccessibleDescription(new RegExp(toPattern(says)))
        await expect(page.getByRole('alert').filter({ hasText: says })).toHaveCount(1)
        await expect(keyField(page)).toHaveAttribute('aria-invalid', 'true')
        await expect(sessionStatus(page)).toHaveText('Not authenticated')
      })
    }
    await expectAccessible()
    await look('sign-in-wrong-key')
    await page.locator('input[type=file]').setInputFiles({
      name: 'picture.pem',
      mimeType: 'application/x-pem-file',
      buffer: Buffer.alloc(40_000, 'x'),
    })
    await expect(keyField(page)).toHaveAccessibleDescription(/This file is too large for a key/)
    expect(sent).toEqual([])
    await expect(protectedPanels(page)).toHaveAttribute('inert', '')
  })

  test('takes every form of the key, asks for the passphrase, keeps the key nowhere, and signs out at the server too', async ({
    page,
    world,
    complaints,
    look,
  }) => {
    const { stack, privateKey } = world
    const key = createPrivateKey(privateKey)
    const encrypted = toPem(key, { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
    const pkcs1 = toPem(key, { type: 'pkcs1' })
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await open(page, stack)

    await test.step('an encrypted key, with its passphrase', async () => {
      const passphrase = page.getByLabel('Passphrase of the key')
      await expect(passphrase).toHaveCount(0)
      await authenticate(page, encrypted)
      await expect(passphrase).toHaveAccessibleDescription('This key is encrypted. Enter its passphrase')
      await passphrase.fill('open barley')
      await authenticateButton(page).click()
      await expect(passphrase).toHaveAccessibleDescription(/Wrong passphrase/)
      await look('sign-in-passphrase')
      await passphrase.fill('open sesame')
      await authenticateButton(page).click()
      await expect(sessionStatus(page)).toHaveText('Authenticated')
    })

    await test.step('nothing of the key is kept or sent, and the token does not live long', async () => {
      const kept = String(await page.evaluate(keptInBrowser))
      const { local, session, databases, caches, cookies } = JSON.parse(kept)
      expect(Object.keys(local)).toContain(SESSION_KEY)
      expect({ session, databases, caches, cookies }).toEqual({ session: {}, databases: [], caches: [], cookies: '' })
      const everywhere = [kept, await page.content(), ...sent].join('\n')
      for (const secret of [encrypted, privateKey, pkcs1]) {
        const [, line = ''] = secret.split('\n')
        expect(line).toHaveLength(64)
        expect(everywhere).not.toContain(line)
      }
      expect(everywhere).not.toContain('open sesame')
      const { access_expires_at } = await keptSession(page)
      expect(Date.parse(access_expires_at) - Date.now()).toBeLessThanOrEqual(ACCESS_MS)
    })

    await test.step('signed out, the token is worth nothing and gone', async () => {
      const { access_token, refresh_token } = await keptSession(page)
      const ask = () =>
        fetch(new URL('/auth/session', stack.url), { headers: { authorization: `Bearer ${access_token}` } })
      expect((await ask()).status).toBe(200)
      const ended = page.waitForResponse((response) => response.request().method() === 'DELETE')
      await signOut(page)
      expect((await ended).status()).toBe(204)
      expect((await ask()).status).toBe(401)
      const refresh = await fetch(new URL('/auth/refresh', stack.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token }),
      })
      expect(refresh.status).toBe(401)
      expect(await page.evaluate(keptInBrowser)).not.toContain(access_token)
      await expect(sessionStatus(page)).toHaveText('Not authenticated')
    })

    await test.step('a dropped file of PKCS #1', async () => {
      await drop(page, 'anna.pem', pkcs1)
      await expect(keyField(page)).toHaveValue(pkcs1)
      await authenticateButton(page).click()
      await expect(sessionStatus(page)).toHaveText('Authenticated')
      await signOut(page)
    })

    await test.step('a chosen file of PKCS #8 with Windows lines', async () => {
      const buffer = Buffer.from(privateKey.replaceAll('\n', '\r\n'))
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'anna.pem', mimeType: 'application/x-pem-file', buffer })
      await expect(keyField(page)).toHaveValue(/BEGIN PRIVATE KEY/)
      await authenticateButton(page).click()
      await expect(sessionStatus(page)).toHaveText('Authenticated')
    })
    expect(complaints.policyViolations()).toBe(0)
  })

  test("says what the server has against it: its clock, its patience, its address, a challenge's second use", async ({
    page,
    world,
    complaints,
  }) => {
    complaints.allow(/status of 401/)
    const { stack, privateKey } = world
    await open(page, stack)
    const { origin } = new URL(stack.url)
    // Challenges by the server's own secret, as it would have made them before its clock or its address changed.
    const cases = [
      [MINUTE_MS, origin, "The server's clock has gone back since it asked. Authenticate once more"],
      [-4 * MINUTE_MS, origin, 'That took too long. Authenticate once more'],
      [0, 'https://millwright.example', 'The server knows itself under another address than this page'],
    ] as const
    for (const [aheadMs, by, says] of cases) {
      const clock = { now: () => Date.now() + aheadMs }
      await page.route('**/auth/challenge', async (route) => {
        const { key } = route.request().postDataJSON()
        const { text } = await inAccounts(stack, (sql) =>
          createChallenges(createSqlAccounts(sql, clock), clock).create({
            origin: by,
            purpose: 'session',
            fingerprint: key,
            about: '',
          }),
        )
        await route.fulfill({ json: { challenge: text, server_time: new Date(clock.now()).toISOString() } })
      })
      await authenticate(page, privateKey)
      await expect(keyField(page)).toHaveAccessibleDescription(new RegExp(says))
      await page.unroute('**/auth/challenge')
    }
    // What was sent once is sent a second time, as by somebody who has listened.
    await page.route('**/auth/session', async (route) => {
      await route.fetch()
      await route.continue()
    })
    await authenticateButton(page).click()
    await expect(keyField(page)).toHaveAccessibleDescription(/This was sent before. Authenticate once more/)
    await page.unroute('**/auth/session')
    await authenticateButton(page).click()
    await expect(sessionStatus(page)).toHaveText('Authenticated')
  })

  test('with a key that was made in the page, once the line that it shows has registered it, until it is revoked', async ({
    page,
    world,
    complaints,
    look,
    expectAccessible,
  }, testInfo) => {
    complaints.allow(/status of 401/)
    const { stack, repository } = world
    await open(page, stack)
    await page.getByRole('tab', { name: 'New key' }).click()
    await page.getByRole('button', { name: 'Make a new key' }).click()
    const line = page.getByText(/^npm run keys -- add/)
    await expect(line).toBeVisible({ timeout: 30_000 })
    await expectAccessible()
    await look('sign-in-new-key')
    for (const name of ['millwright.pem', 'millwright.pem.pub']) {
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: `Save ${name}`, exact: true }).click()
      await (await download).saveAs(testInfo.outputPath(name))
      expect((await download).suggestedFilename()).toBe(name)
    }
    const fingerprint = String(await page.getByText(/^SHA256:/).textContent())
    const command = String(await line.textContent())
    const privateKey = readFileSync(testInfo.outputPath('millwright.pem'), 'utf8')

    await page.getByRole('tab', { name: 'Private key' }).click()
    await authenticate(page, privateKey)
    await expect(keyField(page)).toHaveAccessibleDescription(/This key is not registered/)

    const [npm, run, script = '', ...words] = command.trim().replace('NAME', 'Berta').split(' ')
    expect([npm, run]).toEqual(['npm', 'run'])
    const keys = (...given: string[]): string =>
      execFileSync(
        process.execPath,
        [
          join(projectFolder, 'scripts', 'run.mjs'),
          script,
          ...given,
          '--data',
          stack.dataFolder,
          '--repo',
          repository.root,
        ],
        { env: { ...process.env, INIT_CWD: testInfo.outputPath() }, encoding: 'utf8' },
      )
    const registered = keys(...words.filter((word) => word !== '--'))
    expect(registered).toContain(fingerprint)
    await authenticateButton(page).click()
    await expect(sessionStatus(page)).toHaveText('Authenticated')
    await expect(page.getByText('Berta in')).toBeVisible()
    expect(String(await page.evaluate(keptInBrowser))).not.toContain(privateKey.split('\n')[1])

    // Whoever runs the server takes it back; the person does nothing.
    keys('revoke', fingerprint)
    await expect(page.getByRole('alert').filter({ hasText: 'Your session has ended' })).toBeVisible({ timeout: 45_000 })
    await expect(sessionStatus(page)).toHaveText('Session ended')
    await authenticateButton(page).click()
    await expect(keyField(page)).toHaveAccessibleDescription(/There is no key yet/)
    await authenticate(page, privateKey)
    await expect(keyField(page)).toHaveAccessibleDescription(/This key is not registered/)
  })

  test('goes on by itself where the token has ended, warns before the session does, and says when it has', async ({
    page,
    world,
    complaints,
    look,
    expectAccessible,
  }) => {
    complaints.allow(/status of 401/)
    const { stack, privateKey } = world
    // A computer whose clock is hours off: what counts is the server's.
    await page.clock.install({ time: Date.now() + 3 * 60 * MINUTE_MS })
    await page.clock.resume()
    const refreshed: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/auth/refresh')) refreshed.push(request.url())
    })
    await open(page, stack)
    await authenticate(page, privateKey)
    const refresh = page.getByRole('button', { name: 'Refresh' })
    await refresh.click()
    await expect(agentCount(page)).toBeVisible()
    expect(refreshed).toEqual([])

    const { session_id, access_token } = await keptSession(page)
    await inAccounts(stack, (sql) => {
      const soon = Date.now() + 10 * MINUTE_MS
      sql.run('UPDATE sessions SET ends_at = ? WHERE session_id = ?', soon, session_id)
      sql.run("UPDATE session_tokens SET expires_at = 1 WHERE session_id = ? AND kind = 'access'", session_id)
    })
    const warning = page.getByRole('alert').filter({ hasText: /^Ends at/ })
    await expect(warning).toHaveCount(0)
    await refresh.click()
    await expect(warning).toContainText(/Ends at \d\d:\d\d.*sign out, and in again with your key/)
    await expect(agentCount(page)).toBeVisible()
    expect(refreshed).toHaveLength(1)
    expect((await keptSession(page)).access_token).not.toBe(access_token)
    await expectAccessible()
    await look('session-ends-soon')

    await inAccounts(stack, (sql) => sql.run('UPDATE sessions SET ends_at = 1 WHERE session_id = ?', session_id))
    await refresh.click()
    await expect(page.getByRole('alert').filter({ hasText: 'Your session has ended' })).toBeVisible()
    await expect(sessionStatus(page)).toHaveText('Session ended')
    expect(await keptSession(page)).toBeNull()
    await look('session-ended')
    await authenticate(page, privateKey)
    await expect(agentCount(page)).toBeVisible()
    await expect(sessionStatus(page)).toHaveText('Authenticated')
  })
})

/** A text as a pattern that matches it and nothing else. */
const toPattern = (text: string | RegExp): string =>
  text instanceof RegExp ? text.source : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
