import { DurableObject } from 'cloudflare:workers'
import { IDLE_MS_MAX, SESSIONS_OF_HOLDER_MAX } from '../../mcp/sessions.ts'
import type { Sql } from '../../ports/sql.ts'
import { createDurableSql } from './durable-sql.ts'
import type { ObjectState, UnnamedObjects } from './runtime.ts'
import type { SessionLedgerStub, SessionStub } from './session-wire.ts'

/** Uses are told a minute late at most; sessions themselves end by their own alarm. */
const FORGET_MS = 2 * IDLE_MS_MAX

export interface SessionLedgerEnvironment {
  readonly SESSIONS: UnnamedObjects<SessionStub>
}

/** The sessions of one holder: one object of a holder's name, so that nobody fills the store with sessions. */
export class SessionLedger extends DurableObject<SessionLedgerEnvironment> implements SessionLedgerStub {
  readonly #sql: Sql

  constructor(ctx: ObjectState, env: SessionLedgerEnvironment) {
    super(ctx, env)
    this.#sql = createDurableSql(ctx.storage)
    this.#sql.run('CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, used_at INTEGER NOT NULL) STRICT')
  }

  async use(session: string): Promise<void> {
    const now = Date.now()
    this.#sql.run('DELETE FROM sessions WHERE used_at < ?', now - FORGET_MS)
    this.#sql.run('INSERT OR REPLACE INTO sessions (id, used_at) VALUES (?, ?)', session, now)
    const tooMany = this.#sql.all(
      'DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY used_at DESC, rowid DESC LIMIT -1 OFFSET ?) RETURNING id',
      SESSIONS_OF_HOLDER_MAX,
    )
    const { SESSIONS } = this.env
    await Promise.all(tooMany.map(({ id }) => SESSIONS.get(SESSIONS.idFromString(String(id))).end()))
  }

  async leave(session: string): Promise<void> {
    this.#sql.run('DELETE FROM sessions WHERE id = ?', session)
  }
}
