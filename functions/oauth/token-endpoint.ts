import * as v from 'valibot'
import { expandScopes, parseScopes } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import type { Audit } from '../auth/audit.ts'
import { openSession } from '../auth/sessions.ts'
import { sha256Hex } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuthorizationServer, AuthorizationServers } from './authorization-servers.ts'
import { ASSERTION_TYPE, verifyAssertion } from './client-assertion.ts'
import { OAuthRefusal } from './oauth-refusal.ts'

export interface TokenParts {
  readonly accounts: Accounts
  readonly clock: Clock
  readonly audit: Audit
  readonly servers: AuthorizationServers
  /** Of a program whose key's owner has several and that names none. */
  readonly preferred: WorkspaceId
}

/** As long as the library takes the token at all. */
const SPENT_MS = 31 * 24 * 60 * 60_000
/** Longer than the library takes a code. */
const CODE_MS = 15 * 60_000

/**
 * The token endpoint: our own for programs that show a key of ours (client credentials), the library's for all else. Watches
 * over refresh tokens: one that was exchanged before and is no longer good ends its grant, for whoever holds the newer one
 * as well. (The library lets the last one be exchanged again until the new one is used: an answer can be lost.)
 */
export async function answerToken(
  parts: TokenParts,
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  address: string,
): Promise<Response> {
  const at = parts.servers.at(request)
  const form = new URLSearchParams(new TextDecoder().decode(body))
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new OAuthRefusal(400, 'invalid_request', 'A parameter is repeated')
  }
  if (form.get('grant_type') === 'client_credentials') return answerProgram(parts, at, form, address)

  const forwarded = new Request(`${at.issuer}/oauth/token`, { method: 'POST', headers: request.headers, body })
  if (form.get('grant_type') === 'authorization_code') return exchangeCode(parts, at, forwarded, form.get('code') ?? '')
  const refresh = form.get('grant_type') === 'refresh_token' ? form.get('refresh_token') : null
  if (refresh === null) return at.fetch(forwarded)
  const key = `mw-spent:${await sha256Hex(refresh)}`
  const wasSpent = (await parts.accounts.getValue(key)) !== null
  const response = await at.fetch(forwarded)
  if (response.ok) {
    await parts.accounts.putValue(key, { value: '1', metadata: null }, parts.clock.now() + SPENT_MS)
  } else if (wasSpent) {
    await endGrant(parts, at, refresh, address)
  }
  return response
}

/**
 * The library reads a code and then marks it as used; of two exchanges at once both would be given a token. Here one of them
 * is. A later one goes to the library, which knows then that the code was used, and ends the grant.
 */
async function exchangeCode(
  { accounts, clock }: TokenParts,
  at: AuthorizationServer,
  forwarded: Request,
  code: string,
): Promise<Response> {
  const hash = await sha256Hex(`code ${code}`)
  const settled = `mw-code:${hash}`
  const until = clock.now() + CODE_MS
  if (!(await accounts.spendOnce(hash, until)) && (await accounts.getValue(settled)) === null) {
    throw new OAuthRefusal(400, 'invalid_grant', 'The code is being exchanged by another request')
  }
  try {
    return await at.fetch(forwarded)
  } finally {
    await accounts.putValue(settled, { value: '1', metadata: null }, until)
  }
}

async function endGrant({ servers, audit }: TokenParts, at: AuthorizationServer, refresh: string, address: string) {
  const [grantUser = '', grant = ''] = refresh.split(':')
  await at.server.getOAuthApi(servers.environment).revokeGrant(grant, grantUser)
  const [actor = '', workspace = null] = grantUser.split('.')
  await audit.record({
    actor,
    action: 'grant.refresh',
    target: grant,
    outcome: 'refresh_reused',
    workspace,
    credential: grant,
    address,
  })
}

/** RFC 6749, 4.4 with RFC 7523: the program's key is its identity, and the person's it belongs to. */
async function answerProgram(
  { accounts, clock, audit, preferred }: TokenParts,
  at: AuthorizationServer,
  form: URLSearchParams,
  address: string,
): Promise<Response> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw new OAuthRefusal(
      401,
      'invalid_client',
      'Client credentials need a client_assertion: a JWT signed by a registered key',
    )
  }
  const resource = form.get('resource')
  if (resource !== null && resource !== at.resource) {
    throw new OAuthRefusal(400, 'invalid_target', `This server gives tokens for ${at.resource} only`)
  }
  const workspace = v.safeParse(v.nullable(WorkspaceId), form.get('workspace'))
  if (!workspace.success) throw new OAuthRefusal(400, 'invalid_request', 'workspace is no name of a workspace')
  const audiences = [at.issuer, `${at.issuer}/oauth/token`]
  const action = 'program.token'
  try {
    const key = await verifyAssertion(accounts, clock, form.get('client_assertion') ?? '', audiences)
    const client = form.get('client_id')
    if (client !== null && client !== key.fingerprint) {
      throw new OAuthRefusal(401, 'invalid_client', 'client_id is not the key that signed the assertion')
    }
    const asked = parseScopes(form.get('scope') ?? '')
    const tokens = await openSession(accounts, clock, key, {
      kind: 'program',
      workspace: workspace.output ?? undefined,
      preferred,
      scopes: asked.length === 0 ? undefined : asked,
      label: key.label,
    })
    const { session_id: credential, workspace: opened, scopes } = tokens.session
    await audit.record({ actor: key.user_id, action, outcome: 'ok', workspace: opened, credential, address })
    return Response.json({
      access_token: tokens.access_token,
      token_type: 'Bearer',
      expires_in: Math.floor((tokens.access_expires_at - clock.now()) / 1000),
      scope: expandScopes(scopes).join(' '),
    })
  } catch (error) {
    const refusal = toRefusal(error)
    await audit.record({ actor: 'nobody', action, outcome: refusal?.code ?? 'internal', address })
    throw refusal ?? error
  }
}

/** What `openSession` refuses, in the words of OAuth. */
function toRefusal(error: unknown): OAuthRefusal | undefined {
  if (error instanceof OAuthRefusal) return error
  if (!(error instanceof AppError) || error.code !== 'forbidden') return undefined
  const code = error.details?.reason === 'scope_not_allowed' ? 'invalid_scope' : 'unauthorized_client'
  return new OAuthRefusal(400, code, error.message)
}
