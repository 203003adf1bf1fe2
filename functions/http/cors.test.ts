import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadOAuthLibrary } from '#functions/adapters/node/oauth-library.ts'
import { createSignInWorld, OWNER_TOKEN, type Sent, type SignInWorld } from '#test/support/sign-in-world.ts'

const PAGE = 'https://app.example'
/** A page of this machine on another port. Its calls were never refused, and their answers never given to it. */
const NEIGHBOUR = 'http://localhost:5173'

let open: SignInWorld
let closed: SignInWorld
beforeAll(async () => {
  const oauth = (await loadOAuthLibrary()) ?? undefined
  open = await createSignInWorld(oauth, [PAGE])
  closed = await createSignInWorld(oauth)
})
afterAll(async () => {
  await open.close()
  await closed.close()
})

const ping: Sent = { token: OWNER_TOKEN, body: { jsonrpc: '2.0', id: 1, method: 'ping' } }
const from = (origin: string, sent: Sent = {}): Sent => ({ ...sent, headers: { ...sent.headers, origin } })
const preflight = (origin: string, method = 'POST') =>
  from(origin, {
    headers: { 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
  })
const permissions = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'))

const meant = [
  '/mcp',
  '/auth/challenge',
  '/auth/session',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
  '/oauth/token',
  '/oauth/register',
]

describe('a page of an origin that the operator has named', () => {
  it.each(meant)('may ask whether it may call %s, without a token', async (path) => {
    const response = await open.send('OPTIONS', path, preflight(PAGE))
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(PAGE)
    expect(response.headers.get('access-control-allow-methods')).toContain('POST')
    const names = response.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
    expect(names).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'mcp-method', 'mcp-name', 'mcp-protocol-version']),
    )
    expect(response.headers.has('access-control-allow-credentials')).toBe(false)
    expect(response.headers.get('vary')).toContain('Origin')
  })

  it('reads answers, refusals and the headers that clients need', async () => {
    for (const [sent, status] of [
      [ping, 200],
      [{ body: ping.body }, 401],
      [{ ...ping, headers: { 'content-type': 'text/plain' } }, 415],
    ] as const) {
      const response = await open.send('POST', '/mcp', from(PAGE, sent))
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(PAGE)
      const exposed = response.headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
      expect(exposed).toEqual(['mcp-session-id', 'retry-after', 'www-authenticate'])
      expect(response.headers.has('access-control-allow-credentials')).toBe(false)
    }
  })

  it('registers as a client', async () => {
    const body = { client_name: 'A page', redirect_uris: [`${PAGE}/back`], token_endpoint_auth_method: 'none' }
    const response = await open.send('POST', '/oauth/register', from(PAGE, { body }))
    expect(response.status).toBe(201)
    expect(response.headers.get('access-control-allow-origin')).toBe(PAGE)
  })

  it.each(['/', '/orchestrator', '/healthz', '/oauth/authorize', '/oauth/authorize/begin', '/web/authorize.js'])(
    'is refused at %s, which is no address for programs',
    async (path) => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const response = await open.send(method, path, preflight(PAGE))
        expect(response.status).toBe(403)
        expect(permissions(response)).toEqual([])
      }
    },
  )
})

describe('any other page', () => {
  it.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'https://app.example:8443',
    'null',
  ])('of %s is refused everywhere', async (origin) => {
    for (const path of meant) {
      for (const response of [
        await open.send('OPTIONS', path, preflight(origin)),
        await open.send('POST', path, from(origin, ping)),
      ]) {
        expect(response.status).toBe(403)
        expect(permissions(response)).toEqual([])
      }
    }
  })

  it('of this machine reads nothing, the OAuth endpoints included', async () => {
    for (const [path, sent] of [
      ['/mcp', ping],
      ['/oauth/register', { body: { client_name: 'A page', redirect_uris: [`${NEIGHBOUR}/back`] } }],
      ['/oauth/token', { body: 'grant_type=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ] as const) {
      expect(permissions(await open.send('POST', path, from(NEIGHBOUR, sent)))).toEqual([])
      expect(permissions(await open.send('OPTIONS', path, preflight(NEIGHBOUR)))).toEqual([])
    }
  })

  it('is refused where nobody is named, the same page included', async () => {
    for (const path of meant) {
      for (const response of [
        await closed.send('OPTIONS', path, preflight(PAGE)),
        await closed.send('POST', path, from(PAGE, ping)),
      ]) {
        expect(response.status).toBe(403)
        expect(permissions(response)).toEqual([])
        expect(response.headers.has('vary')).toBe(false)
      }
    }
  })
})
