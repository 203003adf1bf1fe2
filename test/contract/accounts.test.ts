import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { describeAccounts } from './accounts.ts'

const opened: { file: SqliteFile; folder: string }[] = []

function open(): SqliteFile {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-accounts-'))
  const file = openSqlite(join(folder, 'registry.sqlite'))
  opened.push({ file, folder })
  return file
}

afterEach(() => {
  for (const { file, folder } of opened.splice(0)) {
    file.close()
    rmSync(folder, { recursive: true })
  }
})

describeAccounts('node:sqlite on disk', async () => {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  return { accounts: createSqlAccounts(open(), { now: () => clock.nowMs }), clock }
})

describe('accounts on a failing store', () => {
  it('are unavailable, and tell the caller nothing of why', async () => {
    const sql = open()
    const accounts = createSqlAccounts(sql, { now: () => 0 })
    sql.run('DROP TABLE users')
    await expect(accounts.findUser('Anna')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Cannot use the accounts: its store failed',
    })
  })

  it('refuse a row that somebody has damaged', async () => {
    const sql = open()
    const accounts = createSqlAccounts(sql, { now: () => 0 })
    const { user_id } = await accounts.ensureUser('Anna')
    sql.run(`INSERT INTO members (user_id, workspace, role) VALUES (?, 'Not A Workspace', 'admin')`, user_id)
    await expect(accounts.listMemberships(user_id)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of a newer program are not touched', () => {
    const sql = open()
    createSqlAccounts(sql, { now: () => 0 })
    sql.run('INSERT INTO account_migrations (version, applied_at) VALUES (99, 0)')
    expect(() => createSqlAccounts(sql, { now: () => 0 })).toThrow('its schema has version 99')
  })
})
