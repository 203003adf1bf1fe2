import { type Sql, SqlConstraintError, type SqlRow, type SqlValue } from '#functions/ports/sql.ts'

export interface SqlStatement {
  readonly kind: 'all' | 'run'
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** `constraint` and `failed`: nothing of the transaction holds. */
export type SqlOutcome =
  | { readonly kind: 'done'; readonly results: (SqlRow[] | number)[] }
  | { readonly kind: 'constraint' | 'failed'; readonly message: string }

/** Runs them on a port, in its own runtime. */
export function runTransaction(sql: Sql, statements: readonly SqlStatement[]): SqlOutcome {
  try {
    const results = sql.transaction(() => statements.map(({ kind, text, values }) => sql[kind](text, ...values)))
    return { kind: 'done', results }
  } catch (error) {
    const kind = error instanceof SqlConstraintError ? 'constraint' : 'failed'
    return { kind, message: String(error) }
  }
}
