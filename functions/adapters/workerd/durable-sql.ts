import { type Sql, SqlConstraintError, type SqlRow, type SqlValue } from '../../ports/sql.ts'
import type { ObjectStorage, StoredValue } from './runtime.ts'

/** The SQLite database of a Durable Object. What is written is on its way to disk before an answer leaves the object. */
export function createDurableSql(storage: ObjectStorage): Sql {
  const exec = (statement: string, values: readonly SqlValue[]): SqlRow[] => {
    try {
      return storage.sql
        .exec(statement, ...values.map(toStored))
        .toArray()
        .map(toRow)
    } catch (cause) {
      // The runtime has no code for it but the one that ends the message.
      if (cause instanceof Error && cause.message.includes('SQLITE_CONSTRAINT')) {
        throw new SqlConstraintError(cause.message, { cause })
      }
      throw cause
    }
  }
  return {
    all: (statement, ...values) => exec(statement, values),
    run(statement, ...values) {
      exec(statement, values)
      // Not the cursor's rowsWritten, which counts the rows of indexes too.
      return Number(exec('SELECT changes() AS changes', [])[0]?.changes)
    },
    transaction: (work) => storage.transactionSync(work),
  }
}

function toStored(value: SqlValue): StoredValue {
  return value instanceof Uint8Array ? new Uint8Array(value).buffer : value
}

function toRow(row: Record<string, StoredValue>): SqlRow {
  const copy: SqlRow = {}
  for (const [column, value] of Object.entries(row)) {
    copy[column] = value instanceof ArrayBuffer ? new Uint8Array(value) : value
  }
  return copy
}
