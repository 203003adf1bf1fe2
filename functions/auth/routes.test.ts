import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSignInWorld, OWNER_TOKEN, type Person, type SignInWorld, signText } from '#test/support/sign-in-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

let world: SignInWorld
let anna: Person

beforeEach(async () => {
  world = await createSignInWorld()
  anna = await world.person('Anna', 'writer')
})

afterEach(() => world.close())

const jsonOf = async (response: Response) => JSON.parse(await response.text())

const whoAmI = async (token: string) => {
  const response = await world.send('GET', '/auth/session', { token })
  return { status: response.status, body: await jsonOf(response) }
}

async function challengeFor({ fingerprint }: Person, headers: Record<string, string> = {}): Promise<string> {
  const response = await world.send('POST', '/auth/challenge', { body: { key: fingerprint }, headers })
  expect(response.status).toBe(200)
  return (await jsonOf(response)).challenge
}

const open = (challenge: string, { privateKey }: Person, extra: Record<string, unknown> = {}) =>
  world.send('POST', '/auth/session', {
    body: { challenge, signature: signText(challenge, privateKey), algorithm: 'RSA-PSS', ...extra },
  })

const reasonOf = async (response: Response) => {
  const { error } = await jsonOf(response)
  return { status: response.status, reason: error.details?.reason ?? error.code }
}

const refresh = (refresh_token: string) => world.send('POST', '/auth/refresh', { body: { refresh_token } })

/** Everything that the accounts hold, but for times of use. */
const rows = () =>
  ['users', 'keys', 'members', 'sessions', 'session_tokens', 'named_tokens'].map((table) =>
    world.sqlite.all(`SELECT * FROM ${table} ORDER BY 1`),
  )

describe('sign-in', () => {
  it('opens a session for who signs the challenge, and the session knows whose it is', async () => {
    const signedIn = await world.signIn(anna, { label: 'Page in Firefox' })
    expect(signedIn).toMatchObject({ workspace: 'home', scopes: ['read', 'write'], user: { name: 'Anna' } })
    expect(await whoAmI(signedIn.access_token)).toEqual({
      status: 200,
      body: {
        user: { user_id: anna.user_id, name: 'Anna' },
        session_id: signedIn.session_id,
        workspace: 'home',
        scopes: ['read', 'write'],
        workspaces: [{ workspace: 'home', role: 'writer' }],
      },
    })
  })

  it('keeps of tokens nothing but their hashes', async () => {
    const { access_token, refresh_token } = await world.signIn(anna)
    const stored = JSON.stringify(rows())
    expect(stored).not.toContain(access_token.slice(4))
    expect(stored).not.toContain(refresh_token.slice(4))
    expect(stored).toContain(anna.fingerprint)
  })

  it('gives a session that may do less where less is asked for, and none that may do more', async () => {
    expect(await world.signIn(anna, { scopes: ['read'] })).toMatchObject({ scopes: ['read'] })
    const more = await open(await challengeFor(anna), anna, { scopes: ['admin'] })
    expect(await reasonOf(more)).toEqual({ status: 403, reason: 'scope_not_allowed' })
  })

  it('opens none in a workspace of others', async () => {
    await world.person('Bert', 'admin', (await world.accounts.listMemberships(anna.user_id))[0]?.workspace)
    const elsewhere = await open(await challengeFor(anna), anna, { workspace: 'there' })
    expect(await reasonOf(elsewhere)).toEqual({ status: 403, reason: 'no_workspace' })
  })

  it('leaves nothing behind where it refuses', async () => {
    const stranger = await world.person('Eve', null)
    const before = rows()
    for (const attempt of [
      await open(await challengeFor(stranger), stranger),
      await open(await challengeFor(anna), stranger),
      await open('AAAA', anna),
      await world.send('POST', '/auth/session', { body: { challenge: 'x' } }),
      await world.send('POST', '/auth/session', { body: 'not json' }),
      await world.send('POST', '/auth/session', { body: {}, headers: { 'content-type': 'text/plain' } }),
    ]) {
      const text = await attempt.text()
      expect(attempt.status).toBeGreaterThanOrEqual(400)
      expect(text).not.toMatch(/mw[arp]_|SELECT|\/tmp\/|\.ts:/)
    }
    expect(rows()).toEqual(before)
  })

  it('takes no challenge that was asked for under another name of this server (A07)', async () => {
    const challenge = await challengeFor(anna, { host: 'localhost:8000' })
    expect(challenge).toContain('origin: http://localhost:8000')
    expect(await reasonOf(await open(challenge, anna))).toEqual({ status: 401, reason: 'wrong_origin' })
    const remote = await challengeFor(anna, { host: 'mill.example' })
    expect(remote).toContain('origin: https://mill.example')
  })

  it('serves no page of another site', async () => {
    const headers = { origin: 'https://evil.example' }
    const response = await world.send('POST', '/auth/challenge', { body: { key: anna.fingerprint }, headers })
    expect(response.status).toBe(403)
  })

  it('slows down who tries too often, by their address, and nobody else (A72)', async () => {
    const bad = { challenge: 'x', signature: 'x', algorithm: 'RSA-PSS' }
    const statuses: number[] = []
    for (let attempt = 0; attempt < 100; attempt++) {
      const headers = { 'x-forwarded-for': `10.0.0.${attempt}` }
      const response = await world.send('POST', '/auth/session', { body: bad, address: '203.0.113.9', headers })
      statuses.push(response.status)
    }
    expect(statuses.slice(0, 60)).toEqual(Array(60).fill(401))
    expect(statuses.slice(60)).toEqual(Array(40).fill(429))
    expect(await world.signIn(anna)).toMatchObject({ workspace: 'home' })
    world.clock.nowMs += MINUTE
    const later = await world.send('POST', '/auth/session', { body: bad, address: '203.0.113.9' })
    expect(later.status).toBe(401)
  })
})

describe('session', () => {
  it('lasts a quarter of an hour without a refresh', async () => {
    const { access_token } = await world.signIn(anna)
    world.clock.nowMs += 15 * MINUTE - 1
    expect((await whoAmI(access_token)).status).toBe(200)
    world.clock.nowMs += 1
    expect((await whoAmI(access_token)).status).toBe(401)
  })

  it('goes on with a refresh, under new tokens', async () => {
    const first = await world.signIn(anna)
    world.clock.nowMs += HOUR
    const second = await jsonOf(await refresh(first.refresh_token))
    expect(second).toMatchObject({ session_id: first.session_id, workspace: 'home' })
    expect((await whoAmI(second.access_token)).status).toBe(200)
    expect((await whoAmI(first.access_token)).status).toBe(401)
  })

  it('ends where a refresh token comes twice, for whoever has the new one as well', async () => {
    const first = await world.signIn(anna)
    const second = await jsonOf(await refresh(first.refresh_token))
    expect(await reasonOf(await refresh(first.refresh_token))).toEqual({ status: 401, reason: 'refresh_reused' })
    expect((await whoAmI(second.access_token)).status).toBe(401)
    expect(await reasonOf(await refresh(second.refresh_token))).toEqual({ status: 401, reason: 'session_over' })
    expect((await world.accounts.listAudit(5)).map(({ action, outcome }) => `${action} ${outcome}`)).toContain(
      'session.refresh refresh_reused',
    )
  })

  it('goes on for one of two refreshes at once, and is then over', async () => {
    const { refresh_token } = await world.signIn(anna)
    const both = await Promise.all([refresh(refresh_token), refresh(refresh_token)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401])
  })

  it('is over after a day without a refresh, and after two weeks with', async () => {
    const idle = await world.signIn(anna)
    world.clock.nowMs += 24 * HOUR
    expect(await reasonOf(await refresh(idle.refresh_token))).toEqual({ status: 401, reason: 'session_over' })
    let { refresh_token } = await world.signIn(anna)
    for (let hours = 0; hours < 14 * 24 - 20; hours += 20) {
      world.clock.nowMs += 20 * HOUR
      ;({ refresh_token } = await jsonOf(await refresh(refresh_token)))
    }
    world.clock.nowMs += 20 * HOUR
    expect(await reasonOf(await refresh(refresh_token))).toEqual({ status: 401, reason: 'session_over' })
  })

  it('is listed for its owner, who can end it; nobody else sees or ends it', async () => {
    const page = await world.signIn(anna, { label: 'Page' })
    const phone = await world.signIn(anna, { label: 'Phone\u202e' })
    const bert = await world.signIn(await world.person('Bert', 'admin'))
    const list = async (token: string) => (await jsonOf(await world.send('GET', '/auth/sessions', { token }))).sessions
    expect(
      (await list(page.access_token)).map(({ label, current }: Record<string, unknown>) => [label, current]).sort(),
    ).toEqual([
      ['Page', true],
      ['Phone', false],
    ])
    const foreign = await world.send('DELETE', `/auth/sessions/${phone.session_id}`, { token: bert.access_token })
    expect(foreign.status).toBe(404)
    expect((await list(bert.access_token)).length).toBe(1)
    expect(
      (await world.send('DELETE', `/auth/sessions/${phone.session_id}`, { token: page.access_token })).status,
    ).toBe(204)
    expect((await whoAmI(phone.access_token)).status).toBe(401)
    expect((await refresh(phone.refresh_token)).status).toBe(401)
    expect((await world.send('DELETE', '/auth/session', { token: page.access_token })).status).toBe(204)
    expect((await whoAmI(page.access_token)).status).toBe(401)
  })

  it('has an id of its own, whatever a client brings along (fixation)', async () => {
    const mine = await world.signIn(anna)
    const challenge = await challengeFor(anna)
    const fixed = await open(challenge, anna, { session_id: mine.session_id })
    expect(await reasonOf(fixed)).toEqual({ status: 400, reason: 'invalid_input' })
    expect((await world.signIn(anna)).session_id).not.toBe(mine.session_id)
  })

  it('is worth less at once when its owner may do less, and nothing when they have left', async () => {
    const { access_token } = await world.signIn(anna)
    const [home] = await world.accounts.listMemberships(anna.user_id)
    if (home === undefined) throw new Error('Anna has a workspace')
    await world.accounts.setRole(anna.user_id, home.workspace, 'reader')
    expect((await whoAmI(access_token)).body.scopes).toEqual(['read'])
    await world.accounts.setRole(anna.user_id, home.workspace, null)
    expect((await whoAmI(access_token)).status).toBe(401)
  })

  it('belongs to fifty at most; the one that was not used for longest goes', async () => {
    const first = await world.signIn(anna)
    for (let count = 0; count < 50; count++) {
      world.clock.nowMs += MINUTE
      await world.signIn(anna)
    }
    expect((await world.accounts.listSessions(anna.user_id)).length).toBe(50)
    expect(await reasonOf(await refresh(first.refresh_token))).toEqual({ status: 401, reason: 'session_over' })
  })
})

describe('gate', () => {
  const jwt = (header: object, claims: object) => {
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${text}.${createHmac('sha256', 'x').update(text).digest('base64url')}`
  }
  const claims = { sub: 'owner', exp: 4e9, iss: 'http://127.0.0.1:8000', aud: 'http://127.0.0.1:8000/mcp' }

  it.each([
    ['alg none (A22)', `${jwt({ alg: 'none' }, claims).split('.').slice(0, 2).join('.')}.`],
    ['a kid that is a path (A25)', jwt({ alg: 'HS256', kid: '../../dev/null' }, claims)],
    ['another audience (A28)', jwt({ alg: 'HS256' }, { ...claims, aud: 'https://other.example' })],
    ['another issuer (A30)', jwt({ alg: 'HS256' }, { ...claims, iss: 'https://other.example' })],
    ['HS256 under a public key', jwt({ alg: 'HS256' }, claims)],
    ['a token of GitHub (A33)', `ghp_${'a'.repeat(36)}`],
    ['a token of ours that was made up', `mwa_${'A'.repeat(43)}`],
    ['a named token that was made up', `mwp_${'A'.repeat(43)}`],
    ['three parts with colons', 'u_1:g_1:secret'],
    ['5000 characters', `mwa_${'A'.repeat(5000)}`],
  ])('refuses %s', async (_what, token) => {
    for (const path of ['/auth/session', '/mcp']) {
      const response = await world.send(path === '/mcp' ? 'POST' : 'GET', path, { token })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
      expect(await response.text()).not.toContain(token.slice(0, 60))
    }
  })

  it('takes no token from the address, nor a refresh token for a call', async () => {
    const { access_token, refresh_token } = await world.signIn(anna)
    const query = await world.send('GET', `/auth/session?access_token=${access_token}&token=${access_token}`)
    expect(query.status).toBe(401)
    expect((await whoAmI(refresh_token)).status).toBe(401)
    expect((await refresh(access_token)).status).toBe(401)
  })

  it("takes the owner's token on this machine, and from nowhere else", async () => {
    expect(await whoAmI(OWNER_TOKEN)).toMatchObject({ status: 200, body: { user: { name: 'owner' } } })
    for (const headers of [
      { host: 'mill.example' },
      { 'x-forwarded-for': '203.0.113.9' },
      { forwarded: 'for=1.2.3.4' },
    ]) {
      const response = await world.send('GET', '/auth/session', { token: OWNER_TOKEN, headers })
      expect(response.status).toBe(401)
    }
  })

  it('answers 429 to an address that sends no good token, whatever it says of itself (H36)', async () => {
    const { access_token } = await world.signIn(anna)
    const statuses = new Map<number, number>()
    for (let count = 0; count < 1000; count++) {
      const headers = { 'x-forwarded-for': `1.2.${count >> 8}.${count & 255}` }
      const { status } = await world.send('POST', '/mcp', { headers, body: '{}', address: '203.0.113.9' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect([...statuses]).toEqual([
      [401, 60],
      [429, 940],
    ])
    const good = await world.send('GET', '/auth/session', { token: access_token, address: '203.0.113.9' })
    expect(good.status).toBe(200)
  })

  it.each([
    ['GET', '/auth/session'],
    ['GET', '/auth/sessions'],
    ['GET', '/auth/audit'],
    ['DELETE', '/auth/session'],
    ['DELETE', '/auth/sessions/s_1'],
  ])('counts what is no good token at %s %s as well', async (method, path) => {
    const statuses: number[] = []
    for (let count = 0; count < 61; count++) {
      const { status } = await world.send(method, path, { token: `mwa_${count}`, address: '203.0.113.9' })
      statuses.push(status)
    }
    expect(statuses.slice(0, 60)).toEqual(Array(60).fill(401))
    expect(statuses.at(-1)).toBe(429)
  })

  it('counts all addresses of one IPv6 network together, and those of another by themselves', async () => {
    const statusFrom = async (address: string) => (await world.send('POST', '/mcp', { body: '{}', address })).status
    for (let count = 0; count < 60; count++) await statusFrom(`2001:db8:1:2::${count.toString(16)}`)
    expect(await statusFrom('2001:0db8:1:2:ffff:ffff:ffff:ffff')).toBe(429)
    expect(await statusFrom('2001:db8:1:3::1')).toBe(401)
    for (let count = 0; count < 60; count++) {
      await world.send('POST', '/auth/challenge', { body: {}, address: `2001:db8:1:2::${count.toString(16)}` })
    }
    const { status } = await world.send('POST', '/auth/challenge', { body: {}, address: '2001:db8:1:2::ffff' })
    expect(status).toBe(429)
  })

  it('answers 429 to a person who calls too often, and goes on for the others', async () => {
    const { access_token } = await world.signIn(anna)
    const bert = await world.signIn(await world.person('Bert', 'reader'))
    let last: Response | undefined
    for (let count = 0; count < 1201; count++) {
      last = await world.send('POST', '/mcp', { token: access_token, body: 'x' })
      await last.text()
    }
    expect(last?.status).toBe(429)
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await world.send('POST', '/mcp', { token: bert.access_token, body: 'x' })).status).toBe(400)
  })
})

const noise = { actor: 'u_x', action: 'session.open', target: null, outcome: 'ok', credential: null, address: null }

describe('audit log', () => {
  it('says who opened and ended what, with no token in it, and is for administrators', async () => {
    const chief = await world.signIn(await world.person('Chief', 'admin'))
    const { access_token, session_id } = await world.signIn(anna)
    await world.send('DELETE', '/auth/session', { token: access_token, address: '203.0.113.7' })
    const response = await world.send('GET', '/auth/audit', { token: chief.access_token })
    const { entries } = await jsonOf(response)
    expect(entries[0]).toMatchObject({
      actor: anna.user_id,
      action: 'session.end',
      target: session_id,
      workspace: 'home',
      outcome: 'ok',
      address: '203.0.113.7',
    })
    expect(JSON.stringify(entries)).not.toMatch(/mw[arp]_/)
    for (let count = 0; count < 250; count++) {
      await world.accounts.audit({ ...noise, workspace: 'there' })
    }
    const later = await jsonOf(await world.send('GET', '/auth/audit', { token: chief.access_token }))
    expect(later).toEqual({ entries })
    const other = await world.signIn(anna)
    expect((await world.send('GET', '/auth/audit', { token: other.access_token })).status).toBe(403)
  })

  it('forgets the oldest, and what is long over', async () => {
    await world.signIn(anna)
    world.clock.nowMs += 91 * 24 * HOUR
    await world.accounts.prune()
    expect(await world.accounts.listAudit(10)).toEqual([])
    expect(world.sqlite.all('SELECT * FROM sessions')).toEqual([])
    expect(world.sqlite.all('SELECT * FROM session_tokens')).toEqual([])
    expect(world.sqlite.all('SELECT * FROM spent')).toEqual([])
    expect((await world.accounts.listKeys()).length).toBe(1)
  })
})
