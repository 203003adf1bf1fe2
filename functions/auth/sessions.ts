import { allowedScopes, type Scope, scopesOfRole } from '#shared/access.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { createId, sha256Hex } from '../crypto.ts'
import type { Accounts, KeyRecord, Membership, SessionKind, SessionRecord } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { signInRefusal } from './refusal.ts'
import { createToken, TOKEN_CHARACTERS_MAX } from './tokens.ts'

/** What was stolen is good for this long at most. */
const ACCESS_MS = 15 * 60_000
/** Without a refresh for this long a session is over: a working day with a night behind it. */
const IDLE_MS = 24 * 60 * 60_000
/** Then the key must be shown again, however often the session was refreshed. */
const SESSION_MS = 14 * 24 * 60 * 60_000
const LABEL_CHARACTERS_MAX = 100

/** Handed to the client once; only hashes of the two tokens are kept. */
export interface SessionTokens {
  readonly session: SessionRecord
  readonly access_token: string
  readonly access_expires_at: number
  /** Null for a session that cannot be prolonged. */
  readonly refresh_token: string | null
}

export interface SessionWish {
  readonly kind: SessionKind
  /** Left out: the only one, or `preferred`, or the first by name. */
  readonly workspace: WorkspaceId | undefined
  readonly preferred: WorkspaceId
  /** Left out: all that the role allows. */
  readonly scopes: readonly Scope[] | undefined
  readonly label: string
}

/** Opens a session for who has proven a key. Rejects with `forbidden` where the person has no such workspace or right. */
export async function openSession(
  accounts: Accounts,
  clock: Clock,
  key: KeyRecord,
  wish: SessionWish,
): Promise<SessionTokens> {
  const { workspace, role } = chooseWorkspace(await accounts.listMemberships(key.user_id), wish)
  const scopes = wish.scopes === undefined ? scopesOfRole(role) : allowedScopes(wish.scopes, role)
  // A program asks for what our own challenge named, and is given its part of that (RFC 6749, 3.3). A page says what it wants.
  const lacksSome = wish.kind === 'page' && wish.scopes?.some((scope) => !scopes.includes(scope))
  if (lacksSome || scopes.length === 0) {
    throw signInRefusal(
      'forbidden',
      'scope_not_allowed',
      `Cannot open the session: the role "${role}" does not allow what was asked for`,
      `Ask for ${scopesOfRole(role).join(' ')}`,
    )
  }
  const now = clock.now()
  const access = await createToken('access')
  const refresh = wish.kind === 'page' ? await createToken('refresh') : null
  const session = await accounts.openSession({
    session_id: createId('s'),
    kind: wish.kind,
    user_id: key.user_id,
    fingerprint: key.fingerprint,
    workspace,
    scopes,
    label: wish.label.replace(/\p{C}/gu, '').slice(0, LABEL_CHARACTERS_MAX),
    access_hash: access.hash,
    access_expires_at: now + ACCESS_MS,
    refresh_hash: refresh?.hash ?? null,
    refresh_expires_at: now + (refresh === null ? ACCESS_MS : IDLE_MS),
    ends_at: now + (refresh === null ? ACCESS_MS : SESSION_MS),
  })
  return {
    session,
    access_token: access.token,
    access_expires_at: now + ACCESS_MS,
    refresh_token: refresh?.token ?? null,
  }
}

/**
 * New tokens for a refresh token, which is then worth nothing. Rejects with `unauthenticated`: `session_over`, or
 * `refresh_reused` where the token had been exchanged before; the session has been ended then, and `onReuse` is told.
 */
export async function refreshSession(
  accounts: Accounts,
  clock: Clock,
  refreshToken: string,
  onReuse: (session: SessionRecord) => Promise<void>,
): Promise<SessionTokens> {
  if (refreshToken.length > TOKEN_CHARACTERS_MAX) throw over()
  const now = clock.now()
  const access = await createToken('access')
  const refresh = await createToken('refresh')
  const rotated = await accounts.rotateSession({
    presented: await sha256Hex(refreshToken),
    access_hash: access.hash,
    access_expires_at: now + ACCESS_MS,
    refresh_hash: refresh.hash,
    refresh_expires_at: now + IDLE_MS,
  })
  if (rotated.outcome === 'over') throw over()
  if (rotated.outcome === 'reused') {
    await onReuse(rotated.session)
    throw signInRefusal(
      'unauthenticated',
      'refresh_reused',
      'Cannot go on with the session: its refresh token was used twice, so it was ended',
      'Sign in again. If it was not you who used it, look at your sessions',
    )
  }
  return {
    session: rotated.session,
    access_token: access.token,
    access_expires_at: Math.min(now + ACCESS_MS, rotated.session.ends_at),
    refresh_token: refresh.token,
  }
}

const over = () =>
  signInRefusal(
    'unauthenticated',
    'session_over',
    'Cannot go on with the session: it is over, or there never was one',
    'Sign in again',
  )

function chooseWorkspace(memberships: readonly Membership[], { workspace, preferred }: SessionWish): Membership {
  const chosen =
    workspace === undefined
      ? (memberships.find((each) => each.workspace === preferred) ?? memberships[0])
      : memberships.find((each) => each.workspace === workspace)
  if (chosen === undefined) {
    throw signInRefusal(
      'forbidden',
      'no_workspace',
      workspace === undefined
        ? 'Cannot open the session: you are a member of no workspace'
        : 'Cannot open the session: you are not a member of that workspace',
      'Whoever runs this server adds you with "npm run keys -- grant NAME --workspace WORKSPACE --role writer"',
    )
  }
  return chosen
}
