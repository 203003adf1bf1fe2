import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { importPrivateKey } from '../keys/private-key.ts'
import { createSessionKeeper, SESSION_KEY } from './session.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const MINUTE_MS = 60_000
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = await importPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())

/** A server with one session, which takes each refresh token once and each access token for a quarter of an hour. */
function createWorld() {
  const clock = { now: START, ownAheadMs: 0 }
  const asked: string[] = []
  const items = new Map<string, string>()
  let count = 0
  let isOver = false
  const iso = (ms: number) => new Date(ms).toISOString()
  const tokens = () => ({
    session_id: 's_1',
    workspace: 'shop',
    scopes: ['read'],
    access_token: `access-${count}`,
    access_expires_at: iso(clock.now + 15 * MINUTE_MS),
    refresh_token: `refresh-${count}`,
    ends_at: iso(START + 60 * MINUTE_MS),
  })
  const answers: Record<string, (body: string) => Response> = {
    '/auth/challenge': () => Response.json({ challenge: 'sign this', server_time: iso(clock.now) }),
    '/auth/session': () => Response.json({ ...tokens(), user: { name: 'Anna' } }, { status: 201 }),
    '/auth/refresh': (body) => {
      if (isOver || JSON.parse(body).refresh_token !== `refresh-${count}`) {
        return Response.json({ error: { code: 'unauthenticated', message: 'over' } }, { status: 401 })
      }
      count++
      return Response.json(tokens())
    },
  }
  let last: Promise<unknown> = Promise.resolve()
  const ports = {
    fetch: async (path: string, init?: RequestInit) => {
      asked.push(`${init?.method} ${path}`)
      if (init?.method === 'DELETE') return new Response(null, { status: 204 })
      return answers[path]?.(String(init?.body)) ?? new Response(null, { status: 404 })
    },
    storage: {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, text: string) => void items.set(name, text),
      removeItem: (name: string) => void items.delete(name),
    },
    now: () => clock.now + clock.ownAheadMs,
    exclusive: <T>(work: () => Promise<T>): Promise<T> => {
      const next = last.then(work)
      last = next.catch(() => undefined)
      return next
    },
  }
  return { clock, asked, items, endSession: () => (isOver = true), openTab: () => createSessionKeeper(ports) }
}

describe('a session', () => {
  it('is kept for the next page, without the key', async () => {
    const { openTab, items } = createWorld()
    await openTab().signIn(key, 'Web page')
    expect(openTab().state.get()).toMatchObject({
      kind: 'signed_in',
      session: { session_id: 's_1', user_name: 'Anna' },
    })
    expect(items.get(SESSION_KEY)).not.toContain('PRIVATE')
  })

  it('is renewed before its token ends, once for all tabs', async () => {
    const { openTab, clock, asked } = createWorld()
    const [one, two] = [openTab(), openTab()]
    await one.signIn(key, '')
    clock.now += 14 * MINUTE_MS
    expect(await Promise.all([one.token(), two.token()])).toEqual(['access-1', 'access-1'])
    expect(asked.filter((each) => each.endsWith('/refresh'))).toHaveLength(1)
  })

  it('is over where the server says so, and the page knows', async () => {
    const { openTab, endSession } = createWorld()
    const tab = openTab()
    await tab.signIn(key, '')
    endSession()
    await expect(tab.refused(await tab.token())).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(tab.state.get()).toEqual({ kind: 'signed_out', reason: 'ended' })
  })

  it('goes by the clock of the server, however wrong this computer has it', async () => {
    const { openTab, clock, asked } = createWorld()
    for (const aheadHours of [-5, 5]) {
      clock.ownAheadMs = aheadHours * 60 * MINUTE_MS
      const tab = openTab()
      await tab.signIn(key, '')
      expect(tab.state.get()).toMatchObject({ kind: 'signed_in', endsSoon: false })
      const before = asked.length
      await tab.token()
      expect(asked).toHaveLength(before)
      clock.now += 14 * MINUTE_MS
      await tab.token()
      expect(asked.at(-1)).toBe('POST /auth/refresh')
    }
  })

  it('warns before it ends for good', async () => {
    const { openTab, clock } = createWorld()
    const tab = openTab()
    await tab.signIn(key, '')
    expect(tab.state.get()).toMatchObject({ endsSoon: false })
    clock.now += 50 * MINUTE_MS
    await tab.tick()
    expect(tab.state.get()).toMatchObject({ endsSoon: true })
  })

  it('that is ended in one tab is ended at the server and in the others', async () => {
    const { openTab, asked } = createWorld()
    const [one, two] = [openTab(), openTab()]
    await one.signIn(key, '')
    await two.tick()
    await one.signOut()
    await two.tick()
    expect(two.state.get().kind).toBe('signed_out')
    expect(asked).toContain('DELETE /auth/session')
  })
})
