import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { toBase64Url } from '#functions/crypto.ts'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { allow, type Post } from '#test/support/authorize-page.ts'
import {
  answerChallenge,
  askChallenge,
  type KeyHolder,
  postJson,
  type Send,
  signInOverHttp,
} from '#test/support/http-sign-in.ts'
import { requestAs } from '#test/support/named-request.ts'
import { createPerson } from '#test/support/sign-in-world.ts'
import { silenceWorkerd } from '#test/support/silence-workerd.ts'

// The edge as it is hosted: under a public name, each client with an address of its own, and nobody on its machine.

const PUBLIC = 'https://mill.example.com'
const TOKEN = `mw_${'t'.repeat(43)}`
const folder = mkdtempSync(join(tmpdir(), 'millwright-hosted-'))
const bundle = readWorkerdBundle(inject('edgeBundle'))
let edge: Miniflare

const start = (publicUrl: string | null = PUBLIC): Miniflare =>
  new Miniflare({
    ...bundle,
    bindings: {
      ...bundle.bindings,
      NATS_URL: 'ws://edge:x@127.0.0.1:9',
      MILLWRIGHT_TOKEN: TOKEN,
      MILLWRIGHT_SIGNING_KEY: 'A'.repeat(43),
      MILLWRIGHT_WORKSPACE: 'shop',
      MILLWRIGHT_HOSTNAMES: 'mill.example.com',
      ...(publicUrl === null ? {} : { MILLWRIGHT_PUBLIC_URL: publicUrl }),
    },
    durableObjectsPersist: folder,
    cf: false,
    handleRuntimeStdio: silenceWorkerd,
  })

beforeAll(() => {
  edge = start()
})
afterAll(async () => {
  await edge.dispose()
  rmSync(folder, { recursive: true })
})

/** From an address on the internet, as Cloudflare writes it. */
const sendFrom =
  (address: string, at = edge): Send =>
  async (path, { headers, ...init }) =>
    requestAs('mill.example.com', new URL(path, await at.ready), {
      ...init,
      headers: { ...headers, 'cf-connecting-ip': address },
    })

const owner = { authorization: `Bearer ${TOKEN}` }
const send: Send = (path, init) => sendFrom('203.0.113.1')(path, init)
const get = (path: string, headers: Record<string, string>) => send(path, { method: 'GET', headers })
const fieldsOf = async (response: Response) => JSON.parse(await response.text())

async function person(user: string, role: string): Promise<KeyHolder> {
  const { privateKey, spki } = createPerson()
  const response = await postJson(send, '/auth/administration/keys', { spki: toBase64Url(spki), user, role }, owner)
  expect(response.status).toBe(201)
  const { fingerprint } = await fieldsOf(response)
  return { privateKey, fingerprint }
}

describe('a hosted edge', () => {
  it('signs people in at its public address', async () => {
    const anna = await person('Anna', 'admin')
    expect(await askChallenge(send, anna.fingerprint)).toContain(`\norigin: ${PUBLIC}\n`)
    const { access_token } = await signInOverHttp(send, anna)
    const me = await get('/auth/session', { authorization: `Bearer ${access_token}` })
    expect(await fieldsOf(me)).toMatchObject({
      user: { name: 'Anna' },
      workspace: 'shop',
      scopes: ['read', 'write', 'admin'],
    })
  })

  it("takes the owner's token for keys, and for nothing else", async () => {
    expect((await get('/auth/administration/people', owner)).status).toBe(200)
    for (const path of ['/auth/session', '/auth/audit', '/mcp']) {
      expect((await get(path, owner)).status).toBe(401)
    }
  })

  it('takes no keys from anybody else, not from an administrator, and remembers who tried', async () => {
    const boss = await person('Boss', 'admin')
    const { access_token } = await signInOverHttp(send, boss)
    const eve = sendFrom('198.51.100.7')
    const { spki } = createPerson()
    const wish = { spki: toBase64Url(spki), user: 'Eve', role: 'admin' }
    for (const headers of [{}, { authorization: 'Bearer mw_wrong' }, { authorization: `Bearer ${access_token}` }]) {
      expect((await postJson(eve, '/auth/administration/keys', wish, headers)).status).toBe(401)
    }
    const { people } = await fieldsOf(await get('/auth/administration/people', owner))
    expect(people.map(({ user }: { user: string }) => user)).not.toContain('Eve')
    const statuses: number[] = []
    while (statuses.length < 70) {
      statuses.push((await postJson(eve, '/auth/administration/keys', wish)).status)
    }
    expect(statuses.at(-1)).toBe(429)
    expect((await get('/auth/administration/people', owner)).status).toBe(200)
  })

  it('writes down what the owner says, and from where', async () => {
    const carla = await person('Carla', 'admin')
    await postJson(send, '/auth/administration/grant', { user: 'Carla', role: 'reader' }, owner)
    await postJson(send, '/auth/administration/grant', { user: 'Carla', role: 'admin' }, owner)
    const { access_token } = await signInOverHttp(send, carla)
    const { entries } = await fieldsOf(await get('/auth/audit', { authorization: `Bearer ${access_token}` }))
    const said = entries.filter(({ actor }: { actor: string }) => actor === 'owner').slice(0, 4)
    expect(said).toMatchObject(
      ['role.admin', 'role.reader', 'role.admin', 'key.add'].map((action) => {
        return { action, workspace: 'shop', outcome: 'ok', address: '203.0.113.1' }
      }),
    )
  })

  it('is told which machines are not let in any more', async () => {
    const revoke = async (wish: object, headers = owner) => {
      const response = await postJson(send, '/auth/administration/revoke-machine', wish, headers)
      return { status: response.status, fields: await fieldsOf(response) }
    }
    const public_key = 'k'.repeat(43)
    expect((await revoke({ public_key }, { authorization: 'Bearer mw_wrong' })).status).toBe(401)
    expect((await revoke({ public_key: 'box' })).status).toBe(400)
    expect(await revoke({ public_key, name: 'box' })).toEqual({ status: 200, fields: { revoked: true } })
    expect(await revoke({ public_key })).toEqual({ status: 200, fields: { revoked: false } })
  })

  it('holds keys to the same policy as Node does', async () => {
    const rsa = (modulusLength: number, publicExponent = 65_537) =>
      generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ type: 'spki', format: 'der' })
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'der',
    })
    const reasonOf = async (spki: Uint8Array) => {
      const response = await postJson(
        send,
        '/auth/administration/keys',
        { spki: toBase64Url(spki), user: 'Mallory' },
        owner,
      )
      expect(response.status).toBe(400)
      return (await fieldsOf(response)).error.details?.reason
    }
    expect(await reasonOf(rsa(1024))).toBe('key_too_short')
    expect(await reasonOf(rsa(2048, 3))).toBe('bad_exponent')
    expect(await reasonOf(rsa(4104))).toBe('key_too_long')
    expect(await reasonOf(elliptic)).toBe('not_rsa')
    expect(await reasonOf(new Uint8Array([1, 2, 3]))).toBe('not_rsa')
    const { people } = await fieldsOf(await get('/auth/administration/people', owner))
    expect(people.map(({ user }: { user: string }) => user)).not.toContain('Mallory')
  })

  it('serves OAuth at its public address, and takes clients by their metadata documents there', async () => {
    const metadata = await fieldsOf(await get('/.well-known/oauth-authorization-server', {}))
    expect(metadata).toMatchObject({
      issuer: PUBLIC,
      token_endpoint: `${PUBLIC}/oauth/token`,
      client_id_metadata_document_supported: true,
    })
    const refused = await get('/mcp', {})
    expect(refused.headers.get('www-authenticate')).toContain(`${PUBLIC}/.well-known/oauth-protected-resource/mcp`)

    const dan = await person('Dan', 'writer')
    const redirect = 'https://client.example/cb'
    const registered = await postJson(send, '/oauth/register', {
      client_name: 'Hosted',
      redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
    })
    const { client_id } = await fieldsOf(registered)
    const verifier = 'v'.repeat(64)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: redirect,
      code_challenge: toBase64Url(digest),
      code_challenge_method: 'S256',
      resource: `${PUBLIC}/mcp`,
      scope: 'read',
    })
    const post: Post = (step, body) => postJson(send, `/oauth/authorize/${step}`, body)
    const back = await allow(post, query.toString(), dan.privateKey)
    const exchange = (code: string) =>
      send('/oauth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          client_id,
          redirect_uri: redirect,
          code_verifier: verifier,
          resource: `${PUBLIC}/mcp`,
        }).toString(),
      })
    const code = back.searchParams.get('code') ?? ''
    // Two at once, of which one is given a token.
    const answers = await Promise.all([exchange(code), exchange(code)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400])
    expect((await exchange(code)).status).toBe(400)
  })

  it('knows people, their sessions and its own challenges after it was started anew', async () => {
    const emma = await person('Emma', 'writer')
    const { access_token } = await signInOverHttp(send, emma)
    const challenge = await askChallenge(send, emma.fingerprint)
    await edge.dispose()
    edge = start()
    const me = await get('/auth/session', { authorization: `Bearer ${access_token}` })
    expect(await fieldsOf(me)).toMatchObject({ user: { name: 'Emma' } })
    expect((await answerChallenge(send, challenge, emma.privateKey)).status).toBe(201)
    expect((await answerChallenge(send, challenge, emma.privateKey)).status).toBe(401)
  })
})

describe('an edge with a name and no public address', () => {
  it('refuses who is nobody with 401 and sign-in with what is missing, and fails for neither', async () => {
    const nameless = start(null)
    try {
      const ask = sendFrom('203.0.113.1', nameless)
      const refused = await ask('/mcp', { method: 'GET', headers: {} })
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).not.toContain('resource_metadata')
      const challenge = await postJson(ask, '/auth/challenge', { key: `SHA256:${'A'.repeat(43)}` })
      expect(challenge.status).toBe(403)
      expect(await challenge.text()).toContain('MILLWRIGHT_PUBLIC_URL')
    } finally {
      await nameless.dispose()
    }
  })
})
