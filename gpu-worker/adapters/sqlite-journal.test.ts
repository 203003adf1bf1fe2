import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WriteIntent } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

const intent = (path: string, after: string | null, jobId: string | null = null): WriteIntent => ({
  path: path as RepositoryPath,
  beforeSha256: null,
  afterSha256: after,
  blob: null,
  jobId,
  outcome: jobId === null ? null : { reply: after },
})

describe('openSqliteJournal', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-journal-'))
    file = join(folder, 'worker', 'journal.sqlite')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('finds the writes of a killed worker unfinished, and each as it was ended afterwards', () => {
    const first = openSqliteJournal(file)
    first.begin(intent('a.py', 'one'))
    first.end(first.begin(intent('b.py', 'two')), 'landed')
    first.close()

    const second = openSqliteJournal(file)
    const unfinished = second.unfinished()
    expect(unfinished.map((entry) => entry.intent.path)).toEqual(['a.py'])
    for (const { id } of unfinished) second.end(id, 'dropped')
    expect(second.unfinished()).toEqual([])
    expect(second.lastWrites().map((write) => write.path)).toEqual(['b.py'])
    second.close()
  })

  it('knows the last landed write of each path and the writes of a job', () => {
    const journal = openSqliteJournal(file)
    journal.end(journal.begin(intent('a.py', 'one', 'job_1')), 'landed')
    journal.end(journal.begin(intent('b.py', 'two')), 'landed')
    journal.end(journal.begin(intent('a.py', 'three', 'job_1')), 'landed')
    journal.end(journal.begin(intent('a.py', 'four', 'job_1')), 'dropped')
    expect(journal.lastWrites().map((write) => [write.path, write.afterSha256])).toEqual([
      ['b.py', 'two'],
      ['a.py', 'three'],
    ])
    expect(journal.writesOf('job_1').map((write) => write.outcome)).toEqual([{ reply: 'one' }, { reply: 'three' }])
    journal.close()
  })

  it('keeps an outcome until it is forgotten, across a restart', () => {
    const first = openSqliteJournal(file)
    first.keep('job_1', { state: 'succeeded', result: { changed: true } })
    first.close()
    const second = openSqliteJournal(file)
    expect(second.find('job_1')).toEqual({ state: 'succeeded', result: { changed: true } })
    second.forget('job_1')
    expect(second.find('job_1')).toBeUndefined()
    second.close()
  })

  it('is readable by its owner only, and refuses a file that is no database', () => {
    openSqliteJournal(file).close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const other = join(folder, 'other.sqlite')
    writeFileSync(other, 'x'.repeat(5000))
    expect(() => openSqliteJournal(other)).toThrow('not a database')
  })
})
