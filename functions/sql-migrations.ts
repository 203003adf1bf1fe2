import { AppError } from '#shared/errors.ts'
import type { Sql } from './ports/sql.ts'

/**
 * Runs those entries of a list that a database has not run yet, each once. `table` keeps which: the number of entries is
 * the schema's version. Throws `unavailable` for a database whose version is newer than the list.
 */
export function runMigrations(
  sql: Sql,
  table: 'migrations' | 'account_migrations',
  list: readonly (readonly string[])[],
): void {
  sql.run(`CREATE TABLE IF NOT EXISTS ${table} (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT`)
  sql.transaction(() => {
    const [row] = sql.all(`SELECT coalesce(max(version), 0) AS version FROM ${table}`)
    const version = Number(row?.version ?? 0)
    if (version > list.length) {
      throw new AppError(
        'unavailable',
        `Cannot open the registry: its schema has version ${version}, this program knows ${list.length}`,
        { hint: 'Start the newer version of Millwright that wrote it, or use another data folder' },
      )
    }
    for (const [index, statements] of list.entries()) {
      if (index < version) continue
      for (const statement of statements) sql.run(statement)
      sql.run(`INSERT INTO ${table} (version, applied_at) VALUES (?, unixepoch() * 1000)`, index + 1)
    }
  })
}
