import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { AppError } from '#shared/errors.ts'
import { type Sql, SqlConstraintError, type SqlRow } from '../../ports/sql.ts'

export interface SqliteFile extends Sql {
  close(): void
}

/** Another process that holds the file (a backup, a second edge) is waited for this long. */
const BUSY_TIMEOUT_MS = 5000
/** SQLITE_CONSTRAINT; the extended codes carry it in their low byte. */
const CONSTRAINT = 19

/** A larger file is not read through at start-up; damage in it shows as `unavailable` where it is met. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024

/**
 * Opens (or creates, mode 0600) a database file: write-ahead log, synced in full, so that what was answered survives a
 * power cut. Throws `unavailable` with a message for the operator where the file is damaged or no database.
 */
export function openSqlite(file: string): SqliteFile {
  let database: DatabaseSync
  try {
    // Created by us, so that it is private from its first moment; the log files beside it inherit its mode.
    if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
    chmodSync(file, 0o600)
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  } catch (cause) {
    throw cannotOpen(cause)
  }
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    if (statSync(file).size <= CHECKED_BYTES_MAX) {
      const check = database.prepare('PRAGMA quick_check(1)').get()
      if (check?.quick_check !== 'ok') throw new Error(`damaged: ${String(check?.quick_check)}`)
    }
  } catch (cause) {
    database.close()
    throw cannotOpen(cause)
  }

  const statements = new Map<string, StatementSync>()
  const prepare = (text: string): StatementSync => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text)
    statements.set(text, statement)
    return statement
  }

  return {
    all: (statement, ...values) =>
      translate(() =>
        prepare(statement)
          .all(...values)
          .map(toRow),
      ),
    run: (statement, ...values) => translate(() => Number(prepare(statement).run(...values).changes)),
    transaction(work) {
      translate(() => database.exec('BEGIN IMMEDIATE'))
      try {
        const result = work()
        translate(() => database.exec('COMMIT'))
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}

function toRow(row: Record<string, SQLOutputValue>): SqlRow {
  const copy: SqlRow = {}
  for (const [column, value] of Object.entries(row)) copy[column] = typeof value === 'bigint' ? Number(value) : value
  return copy
}

function translate<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (
      cause instanceof Error &&
      'errcode' in cause &&
      typeof cause.errcode === 'number' &&
      (cause.errcode & 0xff) === CONSTRAINT
    ) {
      throw new SqlConstraintError(cause.message, { cause })
    }
    throw cause
  }
}

function cannotOpen(cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AppError('unavailable', `Cannot open the registry: ${reason}`, {
    cause,
    hint: 'Put a backup of registry.sqlite in its place, or move the file away to start with an empty registry',
  })
}
