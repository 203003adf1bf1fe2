import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SqlConstraintError } from '../../ports/sql.ts'
import { openSqlite } from './sqlite.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-sqlite-'))
  file = join(folder, 'registry.sqlite')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('sqlite file', () => {
  it('is private, logs ahead, syncs in full and keeps foreign keys', () => {
    const sql = openSqlite(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(sql.all('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(sql.all('PRAGMA synchronous')).toEqual([{ synchronous: 2 }])
    expect(sql.all('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
    expect(sql.all('PRAGMA busy_timeout')).toEqual([{ timeout: 5000 }])
    sql.run('CREATE TABLE t (a INTEGER) STRICT')
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600)
    sql.close()
  })

  it('undoes a transaction that throws, and goes on', () => {
    const sql = openSqlite(file)
    sql.run('CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT')
    expect(() =>
      sql.transaction(() => {
        sql.run('INSERT INTO t VALUES (1)')
        sql.run('INSERT INTO t VALUES (1)')
      }),
    ).toThrow(SqlConstraintError)
    expect(sql.all('SELECT * FROM t')).toEqual([])
    expect(sql.transaction(() => sql.run('INSERT INTO t VALUES (1)'))).toBe(1)
    sql.close()
  })

  it('refuses a file that is no database, and leaves it as it is', () => {
    writeFileSync(file, 'this was never a database, and is long enough to be looked at'.repeat(100))
    const before = readFileSync(file)
    expect(() => openSqlite(file)).toThrow(expect.objectContaining({ code: 'unavailable' }))
    expect(readFileSync(file)).toEqual(before)
  })

  it('refuses a database with a damaged page', () => {
    const sql = openSqlite(file)
    sql.run('CREATE TABLE t (a TEXT) STRICT')
    sql.transaction(() => {
      for (let index = 0; index < 1000; index++) sql.run('INSERT INTO t VALUES (?)', 'x'.repeat(100))
    })
    sql.close()
    const bytes = readFileSync(file)
    bytes.fill(0xab, 8192, 16_384)
    writeFileSync(file, bytes)
    expect(() => openSqlite(file)).toThrow(/damaged/)
  })
})
