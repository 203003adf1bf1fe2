import * as v from 'valibot'
import { createSecret } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { type Sql, SqlConstraintError } from '../ports/sql.ts'
import type { Sync } from './people.ts'
import { AuditRow, ListedValueRow, ValueRow } from './rows.ts'

type KeepingMethods = Pick<
  Sync<Accounts>,
  'spendOnce' | 'secret' | 'audit' | 'listAudit' | 'getValue' | 'putValue' | 'deleteValue' | 'listValues' | 'prune'
>

/** The audit log holds the newest of these, none older than a quarter of a year. */
const AUDIT_ENTRIES_MAX = 100_000
const AUDIT_AGE_MAX_MS = 90 * 24 * 60 * 60_000
/** How long an ended session or a revoked token stays in the lists. Its refresh tokens are recognised as long. */
const ENDED_KEPT_MS = 30 * 24 * 60 * 60_000

/** What is neither a person nor a right: single use, secrets, the audit log, the OAuth library's values. */
export function createKeepingStore(sql: Sql, clock: Clock): KeepingMethods {
  return {
    spendOnce(hash, expiresAt) {
      const now = clock.now()
      try {
        sql.run('DELETE FROM spent WHERE hash = ? AND expires_at <= ?', hash, now)
        sql.run('INSERT INTO spent (hash, expires_at) VALUES (?, ?)', hash, expiresAt)
        return true
      } catch (error) {
        if (error instanceof SqlConstraintError) return false
        throw error
      }
    },

    secret(name) {
      sql.run('INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING', name, createSecret())
      const [row] = sql.all('SELECT value FROM secrets WHERE name = ?', name)
      return v.parse(v.object({ value: v.string() }), row).value
    },

    audit(entry) {
      sql.run(
        `INSERT INTO audit (at, actor, action, target, workspace, outcome, credential, address)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        clock.now(),
        entry.actor,
        entry.action,
        entry.target,
        entry.workspace,
        entry.outcome,
        entry.credential,
        entry.address,
      )
    },

    listAudit(limit, workspace) {
      const columns = 'at, actor, action, target, workspace, outcome, credential, address'
      const rows =
        workspace === undefined
          ? sql.all(`SELECT ${columns} FROM audit ORDER BY entry DESC LIMIT ?`, limit)
          : sql.all(`SELECT ${columns} FROM audit WHERE workspace = ? ORDER BY entry DESC LIMIT ?`, workspace, limit)
      return rows.map((row) => v.parse(AuditRow, row))
    },

    getValue(key) {
      const [row] = sql.all(
        'SELECT value, metadata FROM oauth WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)',
        key,
        clock.now(),
      )
      return row === undefined ? null : v.parse(ValueRow, row)
    },

    putValue(key, { value, metadata }, expiresAt) {
      sql.run(
        `INSERT INTO oauth (key, value, metadata, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
          SET value = excluded.value, metadata = excluded.metadata, expires_at = excluded.expires_at`,
        key,
        value,
        metadata,
        expiresAt,
      )
    },

    deleteValue(key) {
      sql.run('DELETE FROM oauth WHERE key = ?', key)
    },

    listValues(prefix, after, limit) {
      const rows = sql.all(
        `SELECT key, metadata, expires_at FROM oauth
          WHERE key >= ? AND key > ? AND substr(key, 1, ?) = ? AND (expires_at IS NULL OR expires_at > ?)
          ORDER BY key LIMIT ?`,
        prefix,
        after ?? '',
        [...prefix].length,
        prefix,
        clock.now(),
        limit,
      )
      return rows.map((row) => v.parse(ListedValueRow, row))
    },

    prune() {
      const now = clock.now()
      const kept = now - ENDED_KEPT_MS
      sql.transaction(() => {
        sql.run('DELETE FROM spent WHERE expires_at <= ?', now)
        sql.run('DELETE FROM oauth WHERE expires_at <= ?', now)
        sql.run('DELETE FROM sessions WHERE ended_at <= ? OR ends_at <= ? OR refresh_expires_at <= ?', kept, kept, kept)
        sql.run(`DELETE FROM session_tokens WHERE kind = 'access' AND expires_at <= ?`, now)
        sql.run('DELETE FROM session_tokens WHERE session_id NOT IN (SELECT session_id FROM sessions)')
        sql.run('DELETE FROM named_tokens WHERE revoked_at <= ? OR expires_at <= ?', kept, kept)
        sql.run('DELETE FROM audit WHERE at <= ?', now - AUDIT_AGE_MAX_MS)
        sql.run('DELETE FROM audit WHERE entry <= (SELECT max(entry) FROM audit) - ?', AUDIT_ENTRIES_MAX)
      })
    },
  }
}
