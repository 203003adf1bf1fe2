import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allow, begin, deny, type Post, prove, signFor } from '#test/support/authorize-page.ts'
import {
  createSignInWorld,
  homeWorkspace,
  OWNER_TOKEN,
  type Person,
  type SignInWorld,
  signText,
} from '#test/support/sign-in-world.ts'
import { loadOAuthLibrary } from '../adapters/node/oauth-library.ts'
import type { OAuthLibrary, OAuthServer } from '../ports/oauth-library.ts'
import { createAuthorizationServers } from './authorization-servers.ts'
import { ASSERTION_TYPE } from './client-assertion.ts'
import { createTokenValidator } from './validated-tokens.ts'

// The authorization server as hostile clients and pages meet it. What clients' own documents are fetched with is played here.

const ISSUER = 'http://127.0.0.1:8000'
const RESOURCE = `${ISSUER}/mcp`
const REDIRECT = 'https://client.example/cb'
const VERIFIER = 'v'.repeat(64)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** What the addresses of clients answer. */
const documents = new Map<string, () => Response>()
const fetched: string[] = []
let library: OAuthLibrary
let world: SignInWorld
let anna: Person
let client: string
let addresses = 0

beforeAll(async () => {
  const loaded = await loadOAuthLibrary(async (url) => {
    fetched.push(String(url))
    const answer = documents.get(String(url))
    if (answer === undefined) throw new Error('nobody there')
    return answer()
  })
  if (loaded === null) throw new Error('This Node cannot load the library')
  library = loaded
  world = await createSignInWorld(library)
  anna = await world.person('Anna', 'writer')
  client = await register()
})

afterAll(() => world.close())

beforeEach(() => {
  addresses++
})

/** Each test has its own address, and so its own limits. */
const address = () => `test-${addresses}`

const jsonOf = async (response: Response) => JSON.parse(await response.text())

const registerRaw = (metadata: Record<string, unknown> = {}) =>
  world.send('POST', '/oauth/register', {
    address: address(),
    body: { client_name: 'Test', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata },
  })

async function register(metadata: Record<string, unknown> = {}): Promise<string> {
  const response = await registerRaw(metadata)
  expect(response.status).toBe(201)
  return (await jsonOf(response)).client_id
}

const post: Post = (step, body) => world.send('POST', `/oauth/authorize/${step}`, { body, address: address() })

function query(changes: Record<string, string | null> = {}): string {
  const all = {
    response_type: 'code',
    client_id: client,
    redirect_uri: REDIRECT,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    resource: RESOURCE,
    scope: 'read write',
    state: 's1',
    ...changes,
  }
  return new URLSearchParams(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
  ).toString()
}

const form = (fields: Record<string, string> | [string, string][]) =>
  world.send('POST', '/oauth/token', {
    address: address(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })

const exchange = (code: string, changes: Record<string, string> = {}) =>
  form({
    grant_type: 'authorization_code',
    code,
    client_id: client,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    resource: RESOURCE,
    ...changes,
  })

const Tokens = v.looseObject({ access_token: v.string(), refresh_token: v.string(), scope: v.string() })

async function signIn(wish: Parameters<typeof allow>[3] = {}): Promise<v.InferOutput<typeof Tokens>> {
  const back = await allow(post, query(), anna.privateKey, wish)
  return v.parse(Tokens, await jsonOf(await exchange(back.searchParams.get('code') ?? '')))
}

const refresh = (refresh_token: string) => form({ grant_type: 'refresh_token', refresh_token, client_id: client })

const statusOf = async (token: string, headers: Record<string, string> = {}) =>
  (await world.send('GET', '/auth/session', { token, headers, address: address() })).status

const grants = () => world.sqlite.all(`SELECT key FROM oauth WHERE key LIKE 'grant:%' OR key LIKE 'token:%'`)

describe('metadata', () => {
  it('of the resource is at its own address and at the root, and the 401 points there', async () => {
    for (const path of ['', '/mcp']) {
      const response = await world.send('GET', `/.well-known/oauth-protected-resource${path}`)
      expect(await jsonOf(response)).toMatchObject({ resource: RESOURCE, authorization_servers: [ISSUER] })
    }
    const response = await world.send('POST', '/mcp', { body: {}, address: address() })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="millwright", resource_metadata="${ISSUER}/.well-known/oauth-protected-resource/mcp", scope="read write"`,
    )
  })

  it('of the server has the issuer that was asked, PKCE by S256 alone, and what is ours', async () => {
    const response = await world.send('GET', '/.well-known/oauth-authorization-server')
    expect(await jsonOf(response)).toMatchObject({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/oauth/authorize`,
      token_endpoint: `${ISSUER}/oauth/token`,
      registration_endpoint: `${ISSUER}/oauth/register`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      scopes_supported: ['read', 'write', 'admin'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    })
    const outside = await world.send('GET', '/.well-known/oauth-authorization-server', {
      headers: { host: 'mill.example' },
    })
    expect(await jsonOf(outside)).toMatchObject({ issuer: 'https://mill.example' })
  })
})

describe('the name by which this server is reached', () => {
  it.each([
    ['localhost', 'http://localhost'],
    ['LOCALHOST:80', 'http://localhost'],
    ['127.0.0.1:9999', 'http://127.0.0.1:9999'],
    ['[::1]:8000', 'http://[::1]:8000'],
    ['mill.example', 'https://mill.example'],
    ['mill.example:443', 'https://mill.example'],
  ])('%s is the issuer %s', async (host, issuer) => {
    const response = await world.send('GET', '/.well-known/oauth-authorization-server', { headers: { host } })
    expect(response.status).toBe(200)
    expect(await jsonOf(response)).toMatchObject({ issuer })
  })

  it.each(['evil.example:8787', 'localhost.evil.example', '127.0.0.1:99999', 'localhost@evil.example', ''])(
    '%j is none of ours (H06)',
    async (host) => {
      for (const path of ['/mcp', '/.well-known/oauth-authorization-server', '/auth/challenge', '/oauth/authorize']) {
        const response = await world.send('POST', path, { headers: { host }, body: {}, address: address() })
        expect([400, 403, 404]).toContain(response.status)
        expect(await response.text()).not.toContain('internal')
      }
    },
  )
})

describe('authorization', () => {
  it('gives a code, and for the code a token for what the person allowed', async () => {
    const back = await allow(post, query(), anna.privateKey, { scopes: ['read'] })
    expect(back.origin + back.pathname).toBe(REDIRECT)
    expect(back.searchParams.get('state')).toBe('s1')
    expect(back.searchParams.get('iss')).toBe(ISSUER)
    const response = await exchange(back.searchParams.get('code') ?? '')
    const tokens = v.parse(Tokens, await jsonOf(response))
    expect(tokens).toMatchObject({ scope: 'read', resource: RESOURCE })
    expect(await jsonOf(await world.send('GET', '/auth/session', { token: tokens.access_token }))).toMatchObject({
      user: { name: 'Anna' },
      workspace: 'home',
      scopes: ['read'],
    })
    expect(JSON.stringify(world.sqlite.all('SELECT * FROM oauth'))).not.toContain(tokens.access_token)
  })

  it('gives no more than the role allows', async () => {
    const { scope, access_token } = await signIn({ scopes: ['read', 'write', 'admin'] })
    expect(scope).toBe('read write')
    await world.accounts.setRole(anna.user_id, homeWorkspace, 'reader')
    const shown = await jsonOf(await world.send('GET', '/auth/session', { token: access_token }))
    await world.accounts.setRole(anna.user_id, homeWorkspace, 'writer')
    expect(shown.scopes).toEqual(['read'])
  })

  it('tells the client of a no, with nobody signed in', async () => {
    const back = await deny(post, query())
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'access_denied', state: 's1', iss: ISSUER })
  })

  it.each([
    ['a look-alike host (A44)', 'https://client.example.evil.example/cb'],
    ['a script (A45)', 'javascript:alert(1)'],
    ['http that is not loopback (A46)', 'http://client.example/cb'],
    ['another loopback address (A47)', 'http://127.0.0.2:3000/cb'],
    ['userinfo (A49)', 'https://user@client.example/cb'],
    ['no scheme (A51)', '//evil.example'],
    ['another path', 'https://client.example/cb/more'],
    ['another query', 'https://client.example/cb?x=1'],
  ])('shows a person an error here, and sends nobody anywhere, for a redirect to %s', async (_what, redirect_uri) => {
    const response = await world.send('GET', `/oauth/authorize?${query({ redirect_uri })}`, { address: address() })
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect((await post('begin', { query: query({ redirect_uri }) })).status).toBe(400)
  })

  it.each([
    ['no PKCE (A52)', { code_challenge: null, code_challenge_method: null }],
    ['PKCE that is plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
    ['another resource', { resource: 'https://other.example/mcp' }],
    ['another response type', { response_type: 'token' }],
  ])('gives no code with %s', async (_what, changes) => {
    const response = await world.send('GET', `/oauth/authorize?${query(changes)}`, { address: address() })
    expect([302, 400]).toContain(response.status)
    const location = response.headers.get('location')
    expect(location === null || new URL(location).searchParams.has('error')).toBe(true)
    expect((await post('begin', { query: query(changes) })).status).toBe(400)
  })

  it('shows the page to a client that is known, under a policy that runs nothing else (A59)', async () => {
    const response = await world.send('GET', `/oauth/authorize?${query()}`, { address: address() })
    expect(response.status).toBe(200)
    expect(await response.text()).not.toContain('client.example')
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*/)
  })

  it('grants nothing without the decision of the page on which the key was proven', async () => {
    const before = grants()
    const { handle } = await begin(post, query())
    const yes = (ticket: string, changes: Record<string, unknown> = {}) =>
      post('decide', { allow: true, handle, ticket, workspace: 'home', scopes: ['read'], ...changes })
    expect((await yes('')).status).toBe(401)
    const { ticket } = await prove(post, handle, anna.privateKey)
    expect((await yes('x'.repeat(43))).status).toBe(401)
    const other = await begin(post, query())
    expect((await yes(ticket, { handle: other.handle })).status).toBe(401)
    expect((await yes(ticket, { workspace: 'there' })).status).toBe(403)
    // Used up by the decision that could not be: nobody tries others with the same proof.
    expect((await yes(ticket)).status).toBe(401)
    expect(grants()).toEqual(before)
  })

  it('takes one decision, of two at once as well', async () => {
    const { handle } = await begin(post, query())
    const { ticket } = await prove(post, handle, anna.privateKey)
    const decision = { allow: true, handle, ticket, workspace: 'home', scopes: ['read'] }
    const both = await Promise.all([post('decide', decision), post('decide', decision)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401])
    expect((await post('decide', decision)).status).toBe(401)
  })

  it('takes no decision from a page of another site (A60), and sets no cookie that it could ride on', async () => {
    const { handle } = await begin(post, query())
    const { ticket } = await prove(post, handle, anna.privateKey)
    const body = { allow: true, handle, ticket, workspace: 'home', scopes: ['read'] }
    const headers = { origin: 'https://evil.example' }
    const response = await world.send('POST', '/oauth/authorize/decide', { body, headers, address: address() })
    expect(response.status).toBe(403)
    for (const path of [`/oauth/authorize?${query()}`, '/.well-known/oauth-authorization-server']) {
      expect((await world.send('GET', path, { address: address() })).headers.get('set-cookie')).toBeNull()
    }
  })

  it("takes a signature for one request only, and a stranger's for none", async () => {
    const [first, second] = [await begin(post, query()), await begin(post, query())]
    const signed = await signFor(post, first.handle, anna.privateKey)
    expect((await post('prove', { ...signed, handle: second.handle })).status).toBe(401)
    expect((await post('prove', signed)).status).toBe(401)
    const eve = await world.person('Eve', null)
    await expect(prove(post, second.handle, eve.privateKey)).rejects.toThrow('key_not_accepted')
  })

  it('has signed who asks, for what, and where the answer goes', async () => {
    const { handle } = await begin(post, query())
    const { challenge } = await signFor(post, handle, anna.privateKey)
    expect(challenge).toContain(
      `request: ${handle}\nclient: ${client}\nredirect: ${REDIRECT}\nresource: ${RESOURCE}\nscopes: read write\n`,
    )
    const changed = String(challenge).replace('scopes: read write', 'scopes: admin')
    const response = await post('prove', {
      handle,
      challenge: changed,
      signature: signText(changed, anna.privateKey),
      algorithm: 'RSA-PSS',
    })
    expect((await jsonOf(response)).error.details.reason).toBe('challenge_not_ours')
    // Nor does it open a session, nor a session's challenge an authorization.
    const session = await world.send('POST', '/auth/session', {
      address: address(),
      body: { challenge, signature: signText(String(challenge), anna.privateKey), algorithm: 'RSA-PSS' },
    })
    expect((await jsonOf(session)).error.details.reason).toBe('wrong_purpose')
  })
})

describe('tokens', () => {
  it('of a code that is used twice are worth nothing (A55)', async () => {
    const back = await allow(post, query(), anna.privateKey)
    const code = back.searchParams.get('code') ?? ''
    const { access_token } = v.parse(Tokens, await jsonOf(await exchange(code)))
    expect(await statusOf(access_token)).toBe(200)
    expect((await exchange(code)).status).toBe(400)
    expect(await statusOf(access_token)).toBe(401)
  })

  it('are given to one of several who exchange a code at the same time', async () => {
    const back = await allow(post, query(), anna.privateKey)
    const code = back.searchParams.get('code') ?? ''
    const answers = await Promise.all([exchange(code), exchange(code), exchange(code)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400])
    const refused = answers.find(({ ok }) => !ok)
    expect(refused === undefined ? null : await jsonOf(refused)).toMatchObject({ error: 'invalid_grant' })
  })

  it('are not given for a code with another verifier, redirect, client or resource (A58)', async () => {
    const other = await register()
    for (const changes of [
      { code_verifier: 'w'.repeat(64) },
      { redirect_uri: 'https://client.example/other' },
      { client_id: other },
      { resource: 'https://other.example/mcp' },
    ]) {
      const back = await allow(post, query(), anna.privateKey)
      const response = await exchange(back.searchParams.get('code') ?? '', changes)
      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(await response.text()).not.toContain('access_token')
    }
  })

  it('are not given where a parameter comes twice (A57)', async () => {
    const response = await form([
      ['grant_type', 'authorization_code'],
      ['grant_type', 'client_credentials'],
      ['client_id', client],
    ])
    expect(response.status).toBe(400)
    expect(await jsonOf(response)).toMatchObject({ error: 'invalid_request' })
  })

  it('rotate; an older refresh token ends the grant, for whoever has the new one as well', async () => {
    const first = await signIn()
    const second = v.parse(Tokens, await jsonOf(await refresh(first.refresh_token)))
    expect(second.refresh_token).not.toBe(first.refresh_token)
    const third = v.parse(Tokens, await jsonOf(await refresh(second.refresh_token)))
    expect(await statusOf(third.access_token)).toBe(200)
    expect((await refresh(first.refresh_token)).status).toBe(400)
    expect(await statusOf(third.access_token)).toBe(401)
    expect((await refresh(third.refresh_token)).status).toBe(400)
    expect((await world.accounts.listAudit(3))[0]).toMatchObject({ action: 'grant.refresh', outcome: 'refresh_reused' })
  })

  it('that were made up end nothing', async () => {
    const { access_token } = await signIn()
    const [user, grant] = access_token.split(':')
    expect((await refresh(`${user}:${grant}:${'x'.repeat(32)}`)).status).toBe(400)
    expect(await statusOf(access_token)).toBe(200)
  })

  it('are for the address at which they were given (A28)', async () => {
    const { access_token } = await signIn()
    expect(await statusOf(access_token, { host: 'localhost:8000' })).toBe(401)
    expect(await statusOf(access_token, { host: 'mill.example' })).toBe(401)
    expect(await statusOf(access_token)).toBe(200)
  })

  it('can be revoked by their client and by their person, and end with the key (A31)', async () => {
    const byClient = await signIn()
    const revoked = await form({ token: byClient.refresh_token, token_type_hint: 'refresh_token', client_id: client })
    expect(revoked.status).toBe(200)
    expect(await statusOf(byClient.access_token)).toBe(401)

    const byPerson = await signIn()
    const listed = await jsonOf(await world.send('GET', '/auth/grants', { token: byPerson.access_token }))
    expect(listed.grants).toMatchObject([{ client_id: client, client_name: 'Test', workspace: 'home' }])
    const bert = await world.signIn(await world.person('Bert', 'admin'))
    const path = `/auth/grants/${listed.grants[0].grant_id}`
    expect((await world.send('DELETE', path, { token: bert.access_token })).status).toBe(404)
    expect((await world.send('DELETE', path, { token: byPerson.access_token })).status).toBe(204)
    expect(await statusOf(byPerson.access_token)).toBe(401)

    const carl = await world.person('Carl', 'writer')
    const back = await allow(post, query(), carl.privateKey)
    const { access_token } = v.parse(Tokens, await jsonOf(await exchange(back.searchParams.get('code') ?? '')))
    expect(await statusOf(access_token)).toBe(200)
    await world.accounts.revokeKey(carl.fingerprint)
    expect(await statusOf(access_token)).toBe(401)
  })
})

describe('what the library says of a token', () => {
  it('is asked for once while its record stays as it is, and never stands for another token or resource', async () => {
    const { access_token } = await signIn({ scopes: ['read'] })
    const log = { info: () => undefined, error: () => undefined }
    const { accounts, clock } = world
    const servers = createAuthorizationServers({ library, accounts, publicOrigin: null, clock, log })
    const { server } = servers.at(new Request(RESOURCE, { headers: { host: '127.0.0.1:8000' } }))
    let asked = 0
    const counted: OAuthServer = {
      fetch: (...values) => server.fetch(...values),
      getOAuthApi: (environment) => server.getOAuthApi(environment),
      validateToken: (...values) => {
        asked++
        return server.validateToken(...values)
      },
    }
    const validate = createTokenValidator(accounts, servers.environment)
    const first = await validate(counted, RESOURCE, access_token)
    expect(first).toMatchObject({ scope: ['read'], clientId: client, props: { user_id: anna.user_id } })
    expect(await validate(counted, RESOURCE, access_token)).toBe(first)
    expect(asked).toBe(1)

    expect(await validate(counted, RESOURCE, `${access_token}x`)).toBeNull()
    await expect(validate(counted, 'https://other.example/mcp', access_token)).rejects.toThrow('resource')
    expect(asked).toBe(3)

    const [user = '', grant = ''] = access_token.split(':')
    await server.getOAuthApi(servers.environment).revokeGrant(grant, user)
    expect(await validate(counted, RESOURCE, access_token)).toBeNull()
    expect(asked).toBe(4)
  })
})

describe('registration', () => {
  it('takes what Cursor sends, whose third address no request can use', async () => {
    const redirect_uris = [REDIRECT, 'http://127.0.0.1:1234/cb', 'cursor://anysphere.cursor-mcp/oauth/callback']
    const cursor = await register({ redirect_uris })
    const used = await post('begin', { query: query({ client_id: cursor, redirect_uri: redirect_uris[2] ?? '' }) })
    expect(used.status).toBe(400)
    // A program listens on the port that is free.
    const free = await post('begin', { query: query({ client_id: cursor, redirect_uri: 'http://127.0.0.1:40123/cb' }) })
    expect(free.status).toBe(200)
  })

  it('of a name that is a page is shown as text, and of an address that is a script refused (A62)', async () => {
    const client_name = '<img src=x onerror=alert(1)>'
    expect((await registerRaw({ client_name, logo_uri: 'javascript:alert(1)' })).status).toBe(400)
    const { client: shown } = await begin(post, query({ client_id: await register({ client_name }) }))
    expect(shown.clientName).toBe(client_name)
  })

  it('is slowed down (A63)', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 25; count++) statuses.push((await registerRaw()).status)
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(201))
    expect(statuses.slice(20)).toEqual(Array(5).fill(429))
  })
})

describe("a client's own document", () => {
  const id = 'https://app.example/client.json'
  const document = { client_id: id, client_name: 'App', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }

  it('makes it known by its domain', async () => {
    documents.set(id, () => Response.json(document))
    const { client: shown } = await begin(post, query({ client_id: id }))
    expect(shown).toMatchObject({ clientName: 'App', clientDomain: 'app.example', redirectHost: 'client.example' })
    const back = await allow(post, query({ client_id: id }), anna.privateKey)
    const response = await exchange(back.searchParams.get('code') ?? '', { client_id: id })
    expect(await jsonOf(response)).toMatchObject({ scope: 'read write' })
  })

  it.each([
    ['that names another (A70)', () => Response.json({ ...document, client_id: 'https://other.example/c.json' })],
    ['of more than 5 kB', () => Response.json({ ...document, padding: 'x'.repeat(6000) })],
    ['that is no JSON', () => new Response('<html>')],
    ['that is not there', () => new Response('', { status: 404 })],
    ['with a script for an address', () => Response.json({ ...document, redirect_uris: ['javascript:alert(1)'] })],
  ])('%s is refused, here and not by a redirect', async (_what, answer) => {
    documents.set(id, answer)
    const response = await world.send('GET', `/oauth/authorize?${query({ client_id: id })}`, { address: address() })
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
  })

  it('is not looked for where no client can be', async () => {
    fetched.length = 0
    for (const client_id of [
      'http://app.example/c.json',
      'https://app.example',
      'https://u:p@app.example/c.json',
      'file:///etc/passwd',
    ]) {
      const response = await world.send('GET', `/oauth/authorize?${query({ client_id })}`, { address: address() })
      expect(response.status).toBe(400)
    }
    expect(fetched).toEqual([])
  })
})

describe('a program with a key', () => {
  const claims = () => ({ jti: crypto.randomUUID() })
  const assertion = (
    person: Person,
    changes: { alg?: string; aud?: string; exp?: string; iss?: string; jti?: string } = {},
  ) =>
    new SignJWT(changes.jti === undefined ? claims() : { jti: changes.jti })
      .setProtectedHeader({ alg: changes.alg ?? 'RS256' })
      .setIssuer(changes.iss ?? person.fingerprint)
      .setSubject(changes.iss ?? person.fingerprint)
      .setAudience(changes.aud ?? ISSUER)
      .setIssuedAt()
      .setExpirationTime(changes.exp ?? '5m')
      .sign(person.privateKey)
  const ask = (client_assertion: string, more: Record<string, string> = {}) =>
    form({ grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion, ...more })

  it('gets a token for a quarter of an hour and nothing to refresh it with', async () => {
    for (const aud of [ISSUER, `${ISSUER}/oauth/token`]) {
      const tokens = await jsonOf(await ask(await assertion(anna, { aud }), { scope: 'read', resource: RESOURCE }))
      expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'read' })
      expect(tokens).not.toHaveProperty('refresh_token')
      expect(await statusOf(tokens.access_token)).toBe(200)
    }
  })

  it.each([
    ['for another server', () => assertion(anna, { aud: 'https://other.example' })],
    ['that has expired', () => assertion(anna, { exp: '-5m' })],
    ['that lasts for hours', () => assertion(anna, { exp: '2h' })],
    ['by another key', async () => assertion({ ...anna, privateKey: (await world.person('Eve', null)).privateKey })],
    ['of an unknown key', async () => assertion(await world.person('Eve', null))],
    ['of another algorithm', () => assertion(anna, { alg: 'RS512' })],
    [
      'of none',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await assertion(anna)).split('.')[1]}.`,
    ],
    ['without an id', () => assertion(anna, { jti: '' })],
    ['that is none', async () => 'x.y.z'],
    ['that is huge', async () => `${'x'.repeat(9000)}.y.z`],
  ])('gets none for an assertion %s', async (_what, make) => {
    const before = world.sqlite.all('SELECT * FROM sessions')
    const response = await ask(await make())
    expect(response.status).toBe(401)
    expect(await jsonOf(response)).toMatchObject({ error: 'invalid_client' })
    expect(world.sqlite.all('SELECT * FROM sessions')).toEqual(before)
  })

  it('gets one for an assertion, once', async () => {
    const text = await assertion(anna)
    const both = await Promise.all([ask(text), ask(text)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401])
  })

  it('gets none for another resource, for what it may not do, or with a name for a key', async () => {
    const elsewhere = await ask(await assertion(anna), { resource: 'https://other.example/mcp' })
    expect(await jsonOf(elsewhere)).toMatchObject({ error: 'invalid_target' })
    const foreign = await ask(await assertion(anna), { workspace: 'there' })
    expect(await jsonOf(foreign)).toMatchObject({ error: 'unauthorized_client' })
    expect(
      (await form({ grant_type: 'client_credentials', client_id: anna.fingerprint, client_secret: 'x' })).status,
    ).toBe(401)
    expect(await statusOf(OWNER_TOKEN)).toBe(200)
  })
})
