import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { Scope } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { PAGE_MAX } from '#shared/protocol/limits.ts'
import { type EdgeBindings, type LimitedGate, tooMany } from '../http/caller-limits.ts'
import { readJson } from '../http/json-body.ts'
import { createOpenLimit } from '../http/open-limit.ts'
import { networkOf } from '../http/peer-address.ts'
import { requestOrigin } from '../http/request-origin.ts'
import type { SessionRecord } from '../ports/accounts.ts'
import type { Principal } from '../ports/authenticator.ts'
import type { AppPorts, SignIn } from '../ports/edge-ports.ts'
import { createAudit, outcomeOf } from './audit.ts'
import { createChallenges } from './challenge.ts'
import { proveKey, SignedChallenge } from './key-proof.ts'
import { openSession, refreshSession, type SessionTokens } from './sessions.ts'

/** A person signs in a few times a day; a page that lost its session tries twice. */
const SIGN_INS_MAX = 60
const WINDOW_MS = 60_000
/** Longer than any label is kept. */
const LABEL_CHARACTERS_MAX = 1000

const ChallengeBody = v.strictObject({
  /** The fingerprint of the key that will sign. */
  key: v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9_-]{43}$/, 'must be a fingerprint: SHA256: and 43 characters')),
})

const SessionBody = v.strictObject({
  ...SignedChallenge.entries,
  workspace: v.optional(WorkspaceId),
  scopes: v.optional(v.pipe(v.array(Scope), v.minLength(1), v.maxLength(3))),
  label: v.optional(v.pipe(v.string(), v.maxLength(LABEL_CHARACTERS_MAX)), ''),
})

const RefreshBody = v.strictObject({ refresh_token: v.string() })

/**
 * Sign-in by key proof, and what the holder of a session may know and do about it. All of it is JSON, and refusals are
 * `{ error: { code, message, hint, details: { reason } } }`. No cookie is ever set or read: a page of another site has
 * nothing with which it could act for somebody.
 */
export function createAuthRoutes(ports: AppPorts, signIn: SignIn, gate: LimitedGate): Hono<EdgeBindings> {
  const { accounts, publicOrigin } = signIn
  const { clock } = ports
  const challenges = createChallenges(accounts, clock)
  const audit = createAudit(accounts, ports.log)
  const limit = createOpenLimit(SIGN_INS_MAX, WINDOW_MS, clock)
  const app = new Hono<EdgeBindings>()

  type Ask = Context<EdgeBindings>
  const originOf = (context: Ask) => requestOrigin(context.req.raw.headers, publicOrigin)
  const authenticate = ({ req, env }: Ask): Promise<Principal> => gate(req.raw, env.address)

  /** Strangers may ask only so often. */
  const admit = (context: Ask): string => {
    const { address } = context.env
    const waitMs = limit.tryOpen(networkOf(address))
    if (waitMs !== null) throw tooMany(`more than ${SIGN_INS_MAX} sign-ins in a minute`, waitMs)
    return address
  }

  app.post('/challenge', async (context) => {
    admit(context)
    const { key } = await readJson(context.req.raw, 'the request for a challenge', ChallengeBody)
    const origin = originOf(context)
    const { text, expires_at } = await challenges.create({ origin, purpose: 'session', fingerprint: key, about: '' })
    return context.json({ challenge: text, expires_at: toIso(expires_at), server_time: toIso(clock.now()) })
  })

  app.post('/session', async (context) => {
    const address = admit(context)
    const body = await readJson(context.req.raw, 'the signed challenge', SessionBody)
    let actor = 'nobody'
    try {
      const proof = await proveKey(accounts, challenges, body, { origin: originOf(context), purpose: 'session' })
      actor = proof.key.user_id
      const tokens = await openSession(accounts, clock, proof.key, {
        kind: 'page',
        workspace: body.workspace,
        preferred: ports.workspace,
        scopes: body.scopes,
        label: body.label,
      })
      const { session_id: credential, workspace } = tokens.session
      await audit.record({ actor, action: 'session.open', outcome: 'ok', workspace, credential, address })
      return context.json({ user: { user_id: actor, name: proof.key.user_name }, ...toAnswer(tokens) }, 201)
    } catch (error) {
      await audit.record({ actor, action: 'session.open', outcome: outcomeOf(error), address })
      throw error
    }
  })

  app.post('/refresh', async (context) => {
    const address = admit(context)
    const { refresh_token } = await readJson(context.req.raw, 'the refresh token', RefreshBody)
    const tokens = await refreshSession(accounts, clock, refresh_token, (session) =>
      audit.record({
        actor: session.user_id,
        action: 'session.refresh',
        outcome: 'refresh_reused',
        workspace: session.workspace,
        credential: session.session_id,
        address,
      }),
    )
    return context.json(toAnswer(tokens))
  })

  app.get('/session', async (context) => {
    const { subject, name, workspace, scopes, credential } = await authenticate(context)
    const workspaces =
      name === null ? [{ workspace: ports.workspace, role: 'admin' }] : await accounts.listMemberships(subject)
    return context.json({
      user: { user_id: subject, name: name ?? 'owner' },
      session_id: credential,
      workspace: workspace ?? ports.workspace,
      scopes,
      workspaces,
    })
  })

  app.get('/sessions', async (context) => {
    const { subject, credential } = await authenticate(context)
    const sessions = await accounts.listSessions(subject)
    return context.json({
      sessions: sessions.map((session) => ({ ...toPublic(session), current: session.session_id === credential })),
    })
  })

  async function end(context: Ask, principal: Principal, session: string): Promise<Response> {
    const { subject: actor, credential, workspace } = principal
    if (!(await accounts.endSession(actor, session))) {
      throw new AppError('not_found', 'Cannot end the session: you have none of that id', {
        hint: 'GET /auth/sessions lists yours',
      })
    }
    const { address } = context.env
    await audit.record({ actor, action: 'session.end', target: session, outcome: 'ok', workspace, credential, address })
    return context.body(null, 204)
  }

  app.delete('/sessions/:id', async (context) => end(context, await authenticate(context), context.req.param('id')))

  app.delete('/session', async (context) => {
    const principal = await authenticate(context)
    return end(context, principal, principal.credential ?? '')
  })

  app.get('/audit', async (context) => {
    const { scopes, workspace } = await authenticate(context)
    if (!scopes.includes('admin')) {
      throw new AppError('forbidden', 'Cannot show the audit log: that needs the scope admin', {
        hint: 'Ask an administrator of the workspace',
      })
    }
    // An administrator of one workspace sees that one; who owns the machine sees all.
    const entries = await accounts.listAudit(PAGE_MAX, workspace ?? undefined)
    return context.json({ entries: entries.map(({ at, ...entry }) => ({ at: toIso(at), ...entry })) })
  })

  return app
}

const toIso = (epochMs: number): string => new Date(epochMs).toISOString()

const toAnswer = ({ session, access_token, access_expires_at, refresh_token }: SessionTokens) => ({
  ...toPublic(session),
  access_token,
  access_expires_at: toIso(access_expires_at),
  refresh_token,
})

const toPublic = ({ session_id, kind, fingerprint, workspace, scopes, label, ...times }: SessionRecord) => ({
  session_id,
  kind,
  key: fingerprint,
  workspace,
  scopes,
  label,
  created_at: toIso(times.created_at),
  refreshed_at: toIso(times.refreshed_at),
  ends_at: toIso(times.ends_at),
})
