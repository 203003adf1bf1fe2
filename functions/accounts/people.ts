import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { createId } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { type Sql, SqlConstraintError } from '../ports/sql.ts'
import { KeyRow, MemberRow, MembershipRow, UserRow } from './rows.ts'

type PeopleMethods = Pick<
  Sync<Accounts>,
  | 'ensureUser'
  | 'findUser'
  | 'addKey'
  | 'findKey'
  | 'touchKey'
  | 'listKeys'
  | 'revokeKey'
  | 'setRole'
  | 'listMemberships'
  | 'listMembers'
  | 'findRole'
>

/** The same methods without their promises: the store below is synchronous. */
export type Sync<Methods> = {
  [Name in keyof Methods]: Methods[Name] extends (...values: infer Values) => Promise<infer Result>
    ? (...values: Values) => Result
    : never
}

const keyColumns = `keys.fingerprint, keys.spki, keys.user_id, keys.label, users.name AS user_name, keys.created_at,
  keys.last_used_at, keys.revoked_at`

/** Users, their keys, and what they may in which workspace. */
export function createPeopleStore(sql: Sql, clock: Clock): PeopleMethods {
  const findUser = (name: string) => {
    const [row] = sql.all('SELECT user_id, name FROM users WHERE name_key = ?', toNameKey(name))
    return row === undefined ? null : v.parse(UserRow, row)
  }

  return {
    findUser,

    ensureUser(name) {
      return sql.transaction(() => {
        const known = findUser(name)
        if (known !== null) return known
        const user = { user_id: createId('u'), name }
        sql.run(
          'INSERT INTO users (user_id, name, name_key, created_at) VALUES (?, ?, ?, ?)',
          user.user_id,
          name,
          toNameKey(name),
          clock.now(),
        )
        return user
      })
    },

    addKey({ fingerprint, spki, user_id, label }) {
      try {
        sql.run(
          'INSERT INTO keys (fingerprint, user_id, label, spki, created_at) VALUES (?, ?, ?, ?, ?)',
          fingerprint,
          user_id,
          label,
          spki,
          clock.now(),
        )
      } catch (error) {
        if (!(error instanceof SqlConstraintError)) throw error
        throw new AppError('already_exists', `Cannot register the key: ${fingerprint} is or was registered`, {
          hint: 'Make a new key. One that was revoked does not come back',
        })
      }
    },

    findKey(fingerprint) {
      const [row] = sql.all(
        `SELECT ${keyColumns} FROM keys JOIN users USING (user_id) WHERE fingerprint = ? AND revoked_at IS NULL`,
        fingerprint,
      )
      return row === undefined ? null : v.parse(KeyRow, row)
    },

    touchKey(fingerprint) {
      sql.run('UPDATE keys SET last_used_at = ? WHERE fingerprint = ?', clock.now(), fingerprint)
    },

    listKeys() {
      const rows = sql.all(
        `SELECT ${keyColumns} FROM keys JOIN users USING (user_id) ORDER BY users.name, keys.created_at`,
      )
      return rows.map((row) => v.parse(KeyRow, row))
    },

    revokeKey(fingerprint) {
      return sql.transaction(() => {
        const now = clock.now()
        const revoked = sql.run(
          'UPDATE keys SET revoked_at = ? WHERE fingerprint = ? AND revoked_at IS NULL',
          now,
          fingerprint,
        )
        sql.run('UPDATE sessions SET ended_at = ? WHERE fingerprint = ? AND ended_at IS NULL', now, fingerprint)
        return revoked === 1
      })
    },

    setRole(user, workspace, role) {
      if (role === null) {
        sql.run('DELETE FROM members WHERE user_id = ? AND workspace = ?', user, workspace)
        return
      }
      sql.run(
        `INSERT INTO members (user_id, workspace, role) VALUES (?, ?, ?)
          ON CONFLICT (user_id, workspace) DO UPDATE SET role = excluded.role`,
        user,
        workspace,
        role,
      )
    },

    listMemberships(user) {
      const rows = sql.all('SELECT workspace, role FROM members WHERE user_id = ? ORDER BY workspace', user)
      return rows.map((row) => v.parse(MembershipRow, row))
    },

    listMembers(workspace) {
      const rows = sql.all(
        'SELECT user_id, name, role FROM members JOIN users USING (user_id) WHERE workspace = ? ORDER BY name_key',
        workspace,
      )
      return rows.map((row) => {
        const { user_id, name, role } = v.parse(MemberRow, row)
        return { user: { user_id, name }, role }
      })
    },

    findRole(user, fingerprint, workspace) {
      const [row] = sql.all(
        `SELECT users.user_id, users.name, members.role FROM users
          JOIN members ON members.user_id = users.user_id AND members.workspace = ?
          JOIN keys ON keys.user_id = users.user_id AND keys.fingerprint = ? AND keys.revoked_at IS NULL
          WHERE users.user_id = ?`,
        workspace,
        fingerprint,
        user,
      )
      if (row === undefined) return null
      const { user_id, name, role } = v.parse(MemberRow, row)
      return { user: { user_id, name }, role }
    },
  }
}

/** Names that differ only in case or in how a letter is composed are one. */
const toNameKey = (name: string): string => name.normalize('NFC').toLowerCase()
