import type { KeyObject } from 'node:crypto'
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  PrivateKeyJwtProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '#shared/access.ts'
import { allow, type Post } from '#test/support/authorize-page.ts'
import { type KeyedEdge, startKeyedEdge } from '#test/support/keyed-edge.ts'
import { createPerson } from '#test/support/sign-in-world.ts'
import { toBase64Url } from '../crypto.ts'
import type { EdgeServer } from '../entry.node.ts'

// The MCP SDK's own client against the edge as it runs, over HTTP. NATS is down: what the edge serves alone is enough here.

let world: KeyedEdge
let edge: EdgeServer

async function person(user: string, role: Role): Promise<{ privateKey: KeyObject; fingerprint: string }> {
  const { privateKey, spki } = createPerson()
  const { fingerprint } = await world.administration.addKey({ spki: toBase64Url(spki), user, role })
  return { privateKey, fingerprint }
}

/** A program on the person's machine, as the SDK wants it written: it holds in memory what others keep on disk. */
class Program implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:33418/callback'
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'Test assistant',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  information: StoredOAuthClientInformation | undefined
  stored: StoredOAuthTokens | undefined
  verifier = ''
  discovered: OAuthDiscoveryState | undefined
  /** Where the person's browser was sent. */
  readonly visits: URL[] = []

  clientInformation() {
    return this.information
  }
  saveClientInformation(information: StoredOAuthClientInformation) {
    this.information = information
  }
  tokens() {
    return this.stored
  }
  saveTokens(tokens: StoredOAuthTokens) {
    this.stored = tokens
  }
  redirectToAuthorization(url: URL) {
    this.visits.push(url)
  }
  saveCodeVerifier(verifier: string) {
    this.verifier = verifier
  }
  codeVerifier() {
    return this.verifier
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.discovered = state
  }
  discoveryState() {
    return this.discovered
  }
}

const post: Post = (step, body) =>
  fetch(`${edge.url}/oauth/authorize/${step}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: edge.url },
    body: JSON.stringify(body),
  })

const transportFor = (authProvider: OAuthClientProvider) =>
  new StreamableHTTPClientTransport(new URL(`${edge.url}/mcp`), { authProvider })

const versions = [
  ['2026-07-28', { pin: '2026-07-28' }],
  ['2025-11-25', 'legacy'],
] as const

beforeAll(async () => {
  world = await startKeyedEdge()
  ;({ edge } = world)
})

afterAll(() => world?.stop())

describe("the SDK's client", () => {
  it.each(versions)(
    'signs in with its person, calls, asks for more when it must, and refreshes (%s)',
    async (_name, mode) => {
      const { privateKey } = await person(`Anna ${_name}`, 'writer')
      const program = new Program()
      const connect = async () => {
        const transport = transportFor(program)
        const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
        return { client, transport, connected: client.connect(transport) }
      }
      const visit = async (transport: StreamableHTTPClientTransport, wish: { scopes?: string[] } = {}) => {
        const page = program.visits.at(-1)
        if (page === undefined) throw new Error('The browser was sent nowhere')
        expect((await fetch(page)).status).toBe(200)
        const back = await allow(post, page.search.slice(1), privateKey, wish)
        expect(`${back.origin}${back.pathname}`).toBe(program.redirectUrl)
        await transport.finishAuth(back.searchParams)
      }

      const first = await connect()
      await expect(first.connected).rejects.toThrow(UnauthorizedError)
      expect(program.visits[0]?.searchParams.get('scope')).toBe('read write')
      expect(program.visits[0]?.searchParams.get('resource')).toBe(`${edge.url}/mcp`)
      // The person allows less than was asked for.
      await visit(first.transport, { scopes: ['read'] })
      expect(program.stored).toMatchObject({ scope: 'read' })

      const second = await connect()
      await second.connected
      const { tools } = await second.client.listTools()
      expect(tools.length).toBeGreaterThan(20)
      const listed = await second.client.callTool({ name: 'list_agents', arguments: {} })
      expect(listed.structuredContent).toMatchObject({ success: true, total: 0 })

      // A change needs more: the client sends its person to the page again.
      await expect(second.client.callTool({ name: 'delete_agent', arguments: { agent_id: 'a1' } })).rejects.toThrow()
      expect(program.visits.at(-1)?.searchParams.get('scope')?.split(' ').sort()).toEqual(['read', 'write'])
      await visit(second.transport)
      const third = await connect()
      await third.connected
      const refused = await third.client.callTool({ name: 'delete_agent', arguments: { agent_id: 'a1' } })
      expect(refused.structuredContent).toMatchObject({ error: { code: 'not_found' } })

      // An access token that is no longer good is exchanged without the person.
      const visits = program.visits.length
      const before = program.stored?.refresh_token
      if (program.stored !== undefined) program.stored = { ...program.stored, access_token: 'u:g:stale' }
      await third.client.callTool({ name: 'list_agents', arguments: {} })
      expect(program.visits.length).toBe(visits)
      expect(program.stored?.refresh_token).not.toBe(before)
      await Promise.all([second, third].map(({ client }) => client.close()))
    },
  )

  it.each(['RS256', 'PS256'])('signs in without a person, by a registered key (%s)', async (algorithm) => {
    const { privateKey, fingerprint } = await person(`Robot ${algorithm}`, 'reader')
    const provider = new PrivateKeyJwtProvider({
      clientId: fingerprint,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      algorithm,
      scope: 'read',
      expectedIssuer: edge.url,
    })
    const client = new Client({ name: 'robot', version: '1' })
    await client.connect(transportFor(provider))
    const listed = await client.callTool({ name: 'list_agents', arguments: {} })
    expect(listed.structuredContent).toMatchObject({ success: true })
    expect(provider.tokens()).toMatchObject({ scope: 'read' })
    expect(provider.tokens()?.refresh_token).toBeUndefined()
    await client.close()
  })

  it('takes a named token in a header', async () => {
    const { token, token_id } = await world.administration.makeToken({
      user: 'Anna',
      name: 'ci',
      scopes: ['admin'],
      days: 1,
    })
    const call = async () => {
      const client = new Client({ name: 'ci', version: '1' })
      const requestInit = { headers: { authorization: `Bearer ${token}` } }
      await client.connect(new StreamableHTTPClientTransport(new URL(`${edge.url}/mcp`), { requestInit }))
      const result = await client.callTool({ name: 'list_agents', arguments: {} })
      await client.close()
      return result
    }
    expect((await call()).structuredContent).toMatchObject({ success: true })
    await world.administration.revoke({ id: token_id })
    await expect(call()).rejects.toThrow()
  })
})
