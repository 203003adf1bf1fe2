import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { type Role, scopes } from '#shared/access.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { allow, type Post } from '#test/support/authorize-page.ts'
import { createSqlAccounts } from '../accounts/sql-accounts.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import { parsePublicKey } from '../auth/rsa-key.ts'
import { createToken } from '../auth/tokens.ts'
import { parseConfig } from '../config.ts'
import { toBase64Url } from '../crypto.ts'
import { type EdgeServer, serveEdge } from '../entry.node.ts'
import type { Accounts } from '../ports/accounts.ts'

// The MCP SDK's own client against the edge as it runs, over HTTP. NATS is down: what the edge serves alone is enough here.

const workspace = toWorkspaceId('signed')
let folder: string
let edge: EdgeServer
let sqlite: SqliteFile
let accounts: Accounts

async function person(name: string, role: Role): Promise<{ privateKey: KeyObject; fingerprint: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = await parsePublicKey(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })))
  const { user_id } = await accounts.ensureUser(name)
  await accounts.addKey({ fingerprint: key.fingerprint, spki: toBase64Url(key.spki), user_id, label: 'laptop' })
  await accounts.setRole(user_id, workspace, role)
  return { privateKey, fingerprint: key.fingerprint }
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
  folder = mkdtempSync(join(tmpdir(), 'millwright-oauth-'))
  edge = await serveEdge(
    parseConfig({
      NATS_URL: 'nats://127.0.0.1:1',
      MILLWRIGHT_DATA: join(folder, 'edge'),
      MILLWRIGHT_WORKSPACE: workspace,
      MILLWRIGHT_PORT: '0',
    }),
    { info: () => undefined, error: () => undefined },
  )
  sqlite = openSqlite(join(folder, 'edge', 'registry.sqlite'))
  accounts = createSqlAccounts(sqlite, { now: () => Date.now() })
})

afterAll(async () => {
  sqlite.close()
  await edge.close()
  rmSync(folder, { recursive: true })
})

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
    const { token, hash } = await createToken('named')
    const { user_id } = await accounts.ensureUser('Ci')
    await accounts.setRole(user_id, workspace, 'admin')
    await accounts.addNamedToken({
      token_id: 't_ci',
      hash,
      user_id,
      workspace,
      scopes,
      name: 'ci',
      expires_at: Date.now() + 60_000,
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
    await accounts.revokeNamedToken('t_ci')
    await expect(call()).rejects.toThrow()
  })
})
