import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { createNatsJobBus } from '#functions/adapters/nats/nats-job-bus.ts'
import { createNatsLink } from '#functions/adapters/nats/nats-link.ts'
import { createNatsWorkerCalls } from '#functions/adapters/nats/nats-worker-calls.ts'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { readWebAssets } from '#functions/adapters/node/web-assets.ts'
import { createApp, type EdgeApp } from '#functions/app.ts'
import { createGate } from '#functions/auth/gate.ts'
import { parsePublicKey } from '#functions/auth/rsa-key.ts'
import { toBase64Url } from '#functions/crypto.ts'
import type { Accounts } from '#functions/ports/accounts.ts'
import type { OAuthLibrary } from '#functions/ports/oauth-library.ts'
import type { Registry } from '#functions/ports/registry.ts'
import { createSqlRegistry } from '#functions/registry/sql-registry.ts'
import type { Role } from '#shared/access.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import type { SignatureAlgorithm } from '#shared/sign-in.ts'
import { testSigner } from '#test/support/edge-key.ts'

// The edge with its accounts, as people and their clients meet it. The bus is the real one, and down.

export const OWNER_TOKEN = 'mw_owner'
export const PUBLIC_ORIGIN = 'https://mill.example'

export interface Person {
  readonly name: string
  /** Empty for a stranger. */
  readonly user_id: string
  readonly privateKey: KeyObject
  readonly fingerprint: string
}

export interface Sent {
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly token?: string
  readonly address?: string
}

export interface SignInWorld {
  readonly app: EdgeApp
  readonly accounts: Accounts
  readonly registry: Registry
  readonly sqlite: SqliteFile
  readonly clock: { nowMs: number; now(): number }
  /** What was reported to the operator. */
  readonly reports: string[]
  /** A registered person with a role in a workspace; a stranger where `role` is null. */
  person(name: string, role: Role | null, workspace?: WorkspaceId): Promise<Person>
  send(method: string, path: string, sent?: Sent): Promise<Response>
  /** Signs in over HTTP. */
  signIn(person: Person, extra?: Record<string, unknown>): Promise<SignedIn>
  close(): Promise<void>
}

export const homeWorkspace = toWorkspaceId('home')

const SignedIn = v.looseObject({
  session_id: v.string(),
  access_token: v.string(),
  refresh_token: v.string(),
  workspace: v.string(),
  scopes: v.array(v.string()),
})
export type SignedIn = v.InferOutput<typeof SignedIn>

export function createPerson(): Pick<Person, 'privateKey'> & { spki: Uint8Array<ArrayBuffer> } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey, spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })) }
}

export function signText(text: string, privateKey: KeyObject, algorithm: SignatureAlgorithm = 'RSA-PSS'): string {
  const padding =
    algorithm === 'RS256'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return toBase64Url(sign('sha256', Buffer.from(text), { key: privateKey, ...padding }))
}

/** `pageOrigins`: whose pages may call from a browser. */
export async function createSignInWorld(
  oauth?: OAuthLibrary,
  pageOrigins: readonly string[] = [],
): Promise<SignInWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-sign-in-'))
  const sqlite = openSqlite(join(folder, 'registry.sqlite'))
  const reports: string[] = []
  const log = {
    info: () => undefined,
    error: (message: string, cause: unknown) => void reports.push(`${message} ${cause}`),
  }
  const clock = { nowMs: Date.now(), now: () => clock.nowMs }
  const accounts = createSqlAccounts(sqlite, clock)
  const link = createNatsLink(() => Promise.reject(new Error('no server')), log)
  const registry = createSqlRegistry(sqlite, clock, log)
  const app = createApp({
    workspace: homeWorkspace,
    version: '1.2.3',
    hostnames: ['localhost', '127.0.0.1', '[::1]', 'mill.example'],
    pageOrigins,
    authenticator: createGate({ ownerToken: OWNER_TOKEN, accounts }),
    registry,
    workers: createNatsWorkerCalls(link, testSigner),
    bus: createNatsJobBus(link, testSigner),
    clock,
    log,
    process: { memoryBytes: () => 0 },
    assets: readWebAssets(fileURLToPath(new URL('../../web/dist', import.meta.url))),
    signIn: { accounts, publicOrigin: PUBLIC_ORIGIN, ...(oauth === undefined ? {} : { oauth }) },
  })

  async function send(
    method: string,
    path: string,
    { headers = {}, body, token, address }: Sent = {},
  ): Promise<Response> {
    const request = new Request(`http://127.0.0.1:8000${path}`, {
      method,
      headers: {
        host: '127.0.0.1:8000',
        accept: 'application/json, text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return app.fetch(request, address)
  }

  return {
    app,
    accounts,
    registry,
    sqlite,
    clock,
    reports,
    send,

    async person(name, role, workspace = homeWorkspace) {
      const { privateKey, spki: bytes } = createPerson()
      const { fingerprint, spki } = await parsePublicKey(bytes)
      if (role === null) return { name, user_id: '', privateKey, fingerprint }
      const { user_id } = await accounts.ensureUser(name)
      await accounts.addKey({ fingerprint, spki: toBase64Url(spki), user_id, label: 'laptop' })
      await accounts.setRole(user_id, workspace, role)
      return { name, user_id, privateKey, fingerprint }
    },

    async signIn({ fingerprint, privateKey }, extra = {}) {
      const asked = await send('POST', '/auth/challenge', { body: { key: fingerprint }, address: fingerprint })
      const { challenge } = v.parse(v.object({ challenge: v.string() }), await asked.json())
      const signature = signText(challenge, privateKey)
      const answer = await send('POST', '/auth/session', {
        body: { challenge, signature, algorithm: 'RSA-PSS', ...extra },
        address: fingerprint,
      })
      return v.parse(SignedIn, await answer.json())
    },

    async close() {
      await app.close()
      await link.close()
      sqlite.close()
      rmSync(folder, { recursive: true })
    },
  }
}
