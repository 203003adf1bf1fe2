import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { Access, Accounts, SessionRecord } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { Sql } from '../ports/sql.ts'
import type { Sync } from './people.ts'
import { AccessRow, NamedTokenRow, SessionRow } from './rows.ts'

type SessionMethods = Pick<
  Sync<Accounts>,
  | 'openSession'
  | 'rotateSession'
  | 'listSessions'
  | 'endSession'
  | 'addNamedToken'
  | 'listNamedTokens'
  | 'revokeNamedToken'
  | 'findAccess'
>

/** How exactly the last use of a named token is kept: each use would otherwise be a write. */
const LAST_USE_STEP_MS = 10 * 60_000
/** Live sessions of one person; the oldest ends when another is opened. */
const SESSIONS_MAX = 50

const sessionColumns =
  'session_id, kind, user_id, fingerprint, workspace, scopes, label, created_at, refreshed_at, ends_at'
const isLive = 'ended_at IS NULL AND ends_at > ? AND refresh_expires_at > ?'

/** Sessions with their tokens, and named tokens. */
export function createSessionStore(sql: Sql, clock: Clock): SessionMethods {
  function read(session: string): SessionRecord {
    const [row] = sql.all(`SELECT ${sessionColumns} FROM sessions WHERE session_id = ?`, session)
    return v.parse(SessionRow, row)
  }

  function addToken(hash: string, session: string, kind: 'access' | 'refresh', expiresAt: number): void {
    sql.run(
      'INSERT INTO session_tokens (hash, session_id, kind, expires_at) VALUES (?, ?, ?, ?)',
      hash,
      session,
      kind,
      expiresAt,
    )
  }

  const end = (session: string): number =>
    sql.run('UPDATE sessions SET ended_at = ? WHERE session_id = ? AND ended_at IS NULL', clock.now(), session)

  function findSessionAccess(hash: string, now: number): Access | null {
    const [row] = sql.all(
      `SELECT sessions.session_id AS credential_id, users.user_id, users.name AS user_name, sessions.workspace,
          sessions.scopes, members.role, session_tokens.expires_at, NULL AS last_used_at
        FROM session_tokens
        JOIN sessions USING (session_id)
        JOIN users ON users.user_id = sessions.user_id
        JOIN keys ON keys.fingerprint = sessions.fingerprint AND keys.revoked_at IS NULL
        JOIN members ON members.user_id = sessions.user_id AND members.workspace = sessions.workspace
        WHERE session_tokens.hash = ? AND session_tokens.kind = 'access' AND session_tokens.spent_at IS NULL
          AND session_tokens.expires_at > ? AND sessions.ended_at IS NULL AND sessions.ends_at > ?`,
      hash,
      now,
      now,
    )
    return row === undefined ? null : toAccess('session', v.parse(AccessRow, row))
  }

  function findTokenAccess(hash: string, now: number): Access | null {
    const [row] = sql.all(
      `SELECT named_tokens.token_id AS credential_id, users.user_id, users.name AS user_name, named_tokens.workspace,
          named_tokens.scopes, members.role, named_tokens.expires_at, named_tokens.last_used_at
        FROM named_tokens
        JOIN users ON users.user_id = named_tokens.user_id
        JOIN members ON members.user_id = named_tokens.user_id AND members.workspace = named_tokens.workspace
        WHERE named_tokens.hash = ? AND named_tokens.revoked_at IS NULL AND named_tokens.expires_at > ?`,
      hash,
      now,
    )
    if (row === undefined) return null
    const parsed = v.parse(AccessRow, row)
    if (parsed.last_used_at === null || now - parsed.last_used_at >= LAST_USE_STEP_MS) {
      sql.run('UPDATE named_tokens SET last_used_at = ? WHERE token_id = ?', now, parsed.credential_id)
    }
    return toAccess('token', parsed)
  }

  return {
    openSession(session) {
      return sql.transaction(() => {
        const now = clock.now()
        const surplus = sql.all(
          `SELECT session_id FROM sessions WHERE user_id = ? AND ${isLive} ORDER BY refreshed_at DESC LIMIT -1 OFFSET ?`,
          session.user_id,
          now,
          now,
          SESSIONS_MAX - 1,
        )
        for (const row of surplus) end(String(row.session_id))
        sql.run(
          `INSERT INTO sessions (${sessionColumns}, refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          session.session_id,
          session.kind,
          session.user_id,
          session.fingerprint,
          session.workspace,
          session.scopes.join(' '),
          session.label,
          now,
          now,
          session.ends_at,
          session.refresh_expires_at,
        )
        addToken(session.access_hash, session.session_id, 'access', session.access_expires_at)
        if (session.refresh_hash !== null) {
          addToken(session.refresh_hash, session.session_id, 'refresh', session.refresh_expires_at)
        }
        return read(session.session_id)
      })
    },

    rotateSession(rotation) {
      return sql.transaction(() => {
        const now = clock.now()
        const [token] = sql.all(
          `SELECT session_id, expires_at, spent_at FROM session_tokens WHERE hash = ? AND kind = 'refresh'`,
          rotation.presented,
        )
        if (token === undefined) return { outcome: 'over' }
        const session_id = String(token.session_id)
        const session = read(session_id)
        if (token.spent_at !== null) {
          // A copy of it is in other hands; whose of the two is the owner's, nobody can tell. No longer anybody's.
          return end(session_id) === 1 ? { outcome: 'reused', session } : { outcome: 'over' }
        }
        const [live] = sql.all(
          `SELECT 1 AS one FROM sessions JOIN keys ON keys.fingerprint = sessions.fingerprint AND keys.revoked_at IS NULL
            WHERE session_id = ? AND ${isLive}`,
          session_id,
          now,
          now,
        )
        if (live === undefined || Number(token.expires_at) <= now) return { outcome: 'over' }
        sql.run('UPDATE session_tokens SET spent_at = ? WHERE session_id = ? AND spent_at IS NULL', now, session_id)
        addToken(rotation.access_hash, session_id, 'access', Math.min(rotation.access_expires_at, session.ends_at))
        addToken(rotation.refresh_hash, session_id, 'refresh', Math.min(rotation.refresh_expires_at, session.ends_at))
        sql.run(
          'UPDATE sessions SET refreshed_at = ?, refresh_expires_at = ? WHERE session_id = ?',
          now,
          Math.min(rotation.refresh_expires_at, session.ends_at),
          session_id,
        )
        return { outcome: 'rotated', session: read(session_id) }
      })
    },

    listSessions(user) {
      const now = clock.now()
      const rows = sql.all(
        `SELECT ${sessionColumns} FROM sessions WHERE user_id = ? AND ${isLive} ORDER BY created_at DESC, session_id`,
        user,
        now,
        now,
      )
      return rows.map((row) => v.parse(SessionRow, row))
    },

    endSession(user, session) {
      const now = clock.now()
      return (
        sql.run(
          `UPDATE sessions SET ended_at = ? WHERE session_id = ? AND user_id = ? AND ${isLive}`,
          now,
          session,
          user,
          now,
          now,
        ) === 1
      )
    },

    addNamedToken(token) {
      const [taken] = sql.all(
        'SELECT 1 AS one FROM named_tokens WHERE user_id = ? AND name = ? AND revoked_at IS NULL AND expires_at > ?',
        token.user_id,
        token.name,
        clock.now(),
      )
      if (taken !== undefined) {
        throw new AppError('already_exists', `Cannot make the token: one of the name "${token.name}" is in use`, {
          hint: 'Choose another name, or revoke that one',
        })
      }
      sql.run(
        `INSERT INTO named_tokens (token_id, hash, user_id, workspace, scopes, name, created_at, expires_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        token.token_id,
        token.hash,
        token.user_id,
        token.workspace,
        token.scopes.join(' '),
        token.name,
        clock.now(),
        token.expires_at,
      )
    },

    listNamedTokens() {
      const rows = sql.all(
        `SELECT token_id, user_id, users.name AS user_name, workspace, scopes, named_tokens.name AS name,
            named_tokens.created_at, expires_at, last_used_at, revoked_at
          FROM named_tokens JOIN users USING (user_id) ORDER BY users.name, named_tokens.created_at`,
      )
      return rows.map((row) => v.parse(NamedTokenRow, row))
    },

    revokeNamedToken(token) {
      return (
        sql.run(
          'UPDATE named_tokens SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL',
          clock.now(),
          token,
        ) === 1
      )
    },

    findAccess(hash) {
      const now = clock.now()
      return findSessionAccess(hash, now) ?? findTokenAccess(hash, now)
    },
  }
}

function toAccess(kind: Access['kind'], row: v.InferOutput<typeof AccessRow>): Access {
  return {
    kind,
    credential_id: row.credential_id,
    user: { user_id: row.user_id, name: row.user_name },
    workspace: row.workspace,
    scopes: row.scopes,
    role: row.role,
    expires_at: row.expires_at,
  }
}
