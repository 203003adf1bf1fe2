import { beforeEach, describe, expect, it } from 'vitest'
import type { SqlOutcome, SqlStatement } from '#test/support/workerd-ports/sql-transaction.ts'

const all = (text: string, ...values: SqlStatement['values']): SqlStatement => ({ kind: 'all', text, values })
const run = (text: string, ...values: SqlStatement['values']): SqlStatement => ({ kind: 'run', text, values })

/** What every `Sql` must do. `create` gives an empty database; each call of what it gives is one transaction. */
export function describeSql(
  name: string,
  create: () => Promise<(...statements: SqlStatement[]) => Promise<SqlOutcome>>,
): void {
  describe(`sql: ${name}`, () => {
    let transact: (...statements: SqlStatement[]) => Promise<SqlOutcome>
    beforeEach(async () => {
      transact = await create()
      await transact(run('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB, UNIQUE (b)) STRICT'))
    })
    const done = async (...statements: SqlStatement[]) => {
      const outcome = await transact(...statements)
      if (outcome.kind !== 'done') throw new Error(`${outcome.kind}: ${outcome.message}`)
      return outcome.results
    }

    it('keeps numbers, text, bytes and nothing as they are', async () => {
      const bytes = Uint8Array.of(0, 255, 7)
      const text = 'ä 🙂 \u0000 end'
      await done(
        run('INSERT INTO t VALUES (?, ?, ?)', 2 ** 53 - 1, text, bytes),
        run('INSERT INTO t VALUES (1, ?, ?)', null, null),
      )
      expect(await done(all('SELECT a, b, c FROM t ORDER BY a'))).toEqual([
        [
          { a: 1, b: null, c: null },
          { a: 2 ** 53 - 1, b: text, c: bytes },
        ],
      ])
    })

    it('tells how many rows a statement changed, and not how many entries of indexes', async () => {
      const insert = 'INSERT INTO t (a, b) VALUES (1, ?), (2, ?), (3, ?)'
      expect(
        await done(
          run(insert, 'x', 'y', 'z'),
          run('UPDATE t SET b = b || ? WHERE a > 1', '!'),
          run('DELETE FROM t WHERE a = 99'),
          run('DELETE FROM t'),
        ),
      ).toEqual([3, 2, 0, 3])
    })

    it('takes a number of values that every store takes', async () => {
      const marks = Array.from({ length: 99 }, () => '?').join(', ')
      expect(
        await done(all(`SELECT a FROM t WHERE a IN (${marks})`, ...Array.from({ length: 99 }, (_, index) => index))),
      ).toEqual([[]])
    })

    it('refuses what breaks a constraint, and undoes the whole transaction', async () => {
      await done(run('INSERT INTO t (a, b) VALUES (1, ?)', 'x'))
      const outcome = await transact(
        run('INSERT INTO t (a, b) VALUES (2, ?)', 'y'),
        run('INSERT INTO t (a, b) VALUES (3, ?)', 'x'),
      )
      expect(outcome.kind).toBe('constraint')
      expect(outcome).not.toMatchObject({ message: expect.stringContaining("'x'") })
      expect(await done(all('SELECT a FROM t'))).toEqual([[{ a: 1 }]])
      expect((await transact(run('INSERT INTO t (a, b) VALUES (?, ?)', 1, 'z'))).kind).toBe('constraint')
    })

    it('fails otherwise for what is no statement, and goes on', async () => {
      expect((await transact(run('INSERT INTO t (a) VALUES (5)'), all('SELECT nothing FROM nowhere'))).kind).toBe(
        'failed',
      )
      expect(await done(all('SELECT count(*) AS rows FROM t'))).toEqual([[{ rows: 0 }]])
    })
  })
}
