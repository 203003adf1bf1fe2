export type SqlValue = string | number | null | Uint8Array
export type SqlRow = Record<string, SqlValue>

/**
 * The part of SQLite that we use, synchronous as Durable Object storage and `node:sqlite` both are. The statements are
 * written once and run in both. A broken constraint throws `SqlConstraintError`; anything else that is thrown means that
 * the store itself failed.
 */
export interface Sql {
  all(statement: string, ...values: SqlValue[]): SqlRow[]
  /** Runs a statement that returns no rows; answers how many rows it changed. */
  run(statement: string, ...values: SqlValue[]): number
  /** All of `work` or nothing. `work` must not wait for anything. Does not nest. */
  transaction<T>(work: () => T): T
}

/** A unique or check constraint refused a row. `message` names columns, never values. */
export class SqlConstraintError extends Error {
  override readonly name = 'SqlConstraintError'
}
