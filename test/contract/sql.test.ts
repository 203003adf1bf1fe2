import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { runTransaction } from '#test/support/workerd-ports/sql-transaction.ts'
import { describeSql } from './sql.ts'

const opened: { file: SqliteFile; folder: string }[] = []

afterEach(() => {
  for (const { file, folder } of opened.splice(0)) {
    file.close()
    rmSync(folder, { recursive: true })
  }
})

describeSql('node:sqlite on disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-sql-'))
  const file = openSqlite(join(folder, 'sql.sqlite'))
  opened.push({ file, folder })
  return async (...statements) => runTransaction(file, statements)
})
