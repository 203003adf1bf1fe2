import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64Url } from '#functions/crypto.ts'
import type { EdgeServer } from '#functions/entry.node.ts'
import type { Role } from '#shared/access.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import {
  answerChallenge,
  askChallenge,
  type KeyHolder,
  postJson,
  type Send,
  signInOverHttp,
} from '#test/support/http-sign-in.ts'
import { type KeyedEdge, keyedWorkspace, startKeyedEdge } from '#test/support/keyed-edge.ts'
import { createPerson } from '#test/support/sign-in-world.ts'

// People, their keys and sessions, roles, workspaces, the audit log and the limits, by HTTP alone: in both runtimes.

const there = toWorkspaceId('elsewhere')
let world: KeyedEdge
let edge: EdgeServer
const send: Send = (path, init) => fetch(`${edge.url}${path}`, init)

beforeAll(async () => {
  world = await startKeyedEdge()
  ;({ edge } = world)
})
afterAll(() => world?.stop())

async function person(user: string, role: Role, workspace?: WorkspaceId): Promise<KeyHolder> {
  const { privateKey, spki } = createPerson()
  const { fingerprint } = await world.administration.addKey({ spki: toBase64Url(spki), user, role, workspace })
  return { privateKey, fingerprint }
}

const get = (path: string, token: string, headers: Record<string, string> = {}) =>
  send(path, { method: 'GET', headers: { authorization: `Bearer ${token}`, ...headers } })
const statusOf = async (token: string, headers: Record<string, string> = {}) =>
  (await get('/auth/session', token, headers)).status
const fieldsOf = async (response: Response) => JSON.parse(await response.text())
const reasonOf = async (response: Response) => {
  const { error } = await fieldsOf(response)
  return { status: response.status, reason: error.details?.reason ?? error.code }
}
const refresh = (refresh_token: string) => postJson(send, '/auth/refresh', { refresh_token })

describe('a person with a key', () => {
  it('signs in for this address, and the session knows whose it is', async () => {
    const anna = await person('Anna Two', 'writer')
    const challenge = await askChallenge(send, anna.fingerprint)
    expect(challenge).toContain(`\norigin: ${edge.url}\n`)
    const opened = await answerChallenge(send, challenge, anna.privateKey, { label: 'Page' })
    expect(opened.status).toBe(201)
    const { access_token, session_id } = await fieldsOf(opened)
    expect(await fieldsOf(await get('/auth/session', access_token))).toMatchObject({
      user: { name: 'Anna Two' },
      session_id,
      workspace: keyedWorkspace,
      scopes: ['read', 'write'],
      workspaces: [{ workspace: keyedWorkspace, role: 'writer' }],
    })
    // The challenge is used up, also for who signs it rightly.
    expect(await reasonOf(await answerChallenge(send, challenge, anna.privateKey))).toEqual({
      status: 401,
      reason: 'challenge_used',
    })
  })

  it('of two answers to one challenge that come at once opens one session', async () => {
    const carl = await person('Carl', 'reader')
    const challenge = await askChallenge(send, carl.fingerprint)
    const answers = await Promise.all([1, 2].map(() => answerChallenge(send, challenge, carl.privateKey)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401])
  })

  it('is refused alike for a key that nobody knows and a signature that is not by the key', async () => {
    const known = await person('Dora', 'writer')
    const { privateKey } = createPerson()
    const unknown = `SHA256:${'A'.repeat(43)}`
    const texts = []
    for (const key of [known.fingerprint, unknown]) {
      const response = await answerChallenge(send, await askChallenge(send, key), privateKey)
      expect(response.status).toBe(401)
      texts.push((await response.text()).replace(/[0-9a-f-]{36}/, ''))
    }
    expect(texts[0]).toBe(texts[1])
    expect(texts[0]).toContain('key_not_accepted')
  })

  it('goes on with a refresh token once; its second use ends the session', async () => {
    const emil = await person('Emil', 'writer')
    const first = await signInOverHttp(send, emil)
    const second = await fieldsOf(await refresh(first.refresh_token))
    expect(await statusOf(first.access_token)).toBe(401)
    expect(await statusOf(second.access_token)).toBe(200)
    expect(await reasonOf(await refresh(first.refresh_token))).toEqual({ status: 401, reason: 'refresh_reused' })
    expect(await statusOf(second.access_token)).toBe(401)
    expect(await reasonOf(await refresh(second.refresh_token))).toEqual({ status: 401, reason: 'session_over' })
  })

  it('sees and ends sessions, and what is revoked is refused with the next call', async () => {
    const fred = await person('Fred', 'writer')
    const [one, two, three] = [
      await signInOverHttp(send, fred),
      await signInOverHttp(send, fred),
      await signInOverHttp(send, fred),
    ]
    const { sessions } = await fieldsOf(await get('/auth/sessions', one.access_token))
    expect(sessions).toHaveLength(3)
    const headers = { authorization: `Bearer ${one.access_token}` }
    expect((await send(`/auth/sessions/${two.session_id}`, { method: 'DELETE', headers })).status).toBe(204)
    expect(await statusOf(two.access_token)).toBe(401)
    expect(await statusOf(three.access_token)).toBe(200)
    await world.keys('revoke', fred.fingerprint)
    expect(await statusOf(three.access_token)).toBe(401)
    await expect(signInOverHttp(send, fred)).rejects.toThrow('key_not_accepted')
  })
})

describe('roles', () => {
  it('allow what the role says at the moment of the call', async () => {
    const gina = await person('Gina', 'reader')
    const { access_token } = await signInOverHttp(send, gina)
    const change = () =>
      postJson(
        send,
        '/mcp',
        {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'delete_agent', arguments: { agent_id: 'none' } },
        },
        { authorization: `Bearer ${access_token}`, accept: 'application/json, text/event-stream' },
      )
    const refused = await change()
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_scope')
    expect(refused.headers.get('www-authenticate')).toContain(`${edge.url}/.well-known/oauth-protected-resource/mcp`)
    await world.keys('remove', 'Gina')
    expect(await statusOf(access_token)).toBe(401)
  })

  it('give a program a token that does what it may and no more, until it is taken back', async () => {
    const text = await world.keys('token', '--name', 'ci', '--user', 'Anna', '--scopes', 'read')
    const [token = ''] = /mwp_[\w-]{43}/.exec(text) ?? []
    const [id = ''] = /t_[0-9a-z]{20}/.exec(text) ?? []
    expect(await fieldsOf(await get('/auth/session', token))).toMatchObject({ scopes: ['read'], session_id: id })
    await expect(world.keys('token', '--name', 'ci', '--user', 'Anna')).rejects.toMatchObject({
      code: 'already_exists',
    })
    await world.keys('revoke', id)
    expect(await statusOf(token)).toBe(401)
    expect(await world.keys('list')).toMatch(new RegExp(`${id} .*REVOKED`))
  })
})

describe('the audit log', () => {
  it('tells an administrator who did what in their workspace, and nobody else', async () => {
    const judy = await signInOverHttp(send, await person('Judy', 'admin', there))
    const { entries } = await fieldsOf(await get('/auth/audit', judy.access_token))
    expect(entries[0]).toMatchObject({ action: 'session.open', outcome: 'ok', workspace: there })
    expect(entries[0].address).toMatch(/127\.0\.0\.1|::1/)
    expect(entries.every(({ workspace }: { workspace: string }) => workspace === there)).toBe(true)
    expect(entries.map(({ action }: { action: string }) => action)).toEqual(
      expect.arrayContaining(['key.add', 'role.admin']),
    )
    expect(JSON.stringify(entries)).not.toMatch(/mw[arp]_/)
    const writer = await signInOverHttp(send, await person('Kurt', 'writer'))
    expect((await get('/auth/audit', writer.access_token)).status).toBe(403)
    // The machine's owner sees all workspaces.
    const all = await fieldsOf(await get('/auth/audit', edge.token))
    expect(new Set(all.entries.map(({ workspace }: { workspace: string }) => workspace))).toContain(keyedWorkspace)
  })
})

describe("the owner's token", () => {
  it('is good on this machine and not for who comes through others', async () => {
    expect(await statusOf(edge.token)).toBe(200)
    for (const headers of [{ 'x-forwarded-for': '203.0.113.9' }, { 'cf-connecting-ip': '203.0.113.9' }]) {
      expect(await statusOf(edge.token, headers)).toBe(401)
    }
  })
})

// The last one: it uses up what this machine's address may do in a minute.
describe('limits', () => {
  it('slow down who signs in too often, and no good token', async () => {
    const lena = await signInOverHttp(send, await person('Lena', 'writer'))
    const statuses: number[] = []
    let retryAfter: string | null = null
    while (statuses.length < 70) {
      // workerd hangs up on who is refused before their body was read; the next request needs a connection of its own.
      const hangUp = { connection: 'close' }
      const bad = { challenge: 'x', signature: 'x', algorithm: 'RS256' }
      const response = await postJson(send, '/auth/session', bad, hangUp)
      await response.text()
      statuses.push(response.status)
      if (response.status === 429) retryAfter = response.headers.get('retry-after')
    }
    expect(statuses.at(-1)).toBe(429)
    expect(Number(retryAfter)).toBeGreaterThan(0)
    expect(await statusOf(lena.access_token)).toBe(200)
  })
})
