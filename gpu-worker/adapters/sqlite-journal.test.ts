import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobOutcome } from '#shared/schemas/job.ts'
import type { WriteIntent } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

const intent = (path: string, after: string | null, jobId: string | null = null): WriteIntent => ({
  path: path as RepositoryPath,
  beforeSha256: null,
  afterSha256: after,
  blob: null,
  jobId,
  agentId: null,
  outcome: jobId === null ? null : { reply: after },
})

const outcome: JobOutcome = { state: 'succeeded', result: { changed: true } }

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
    first.keep('job_1', outcome)
    first.close()
    const second = openSqliteJournal(file)
    expect(second.find('job_1')).toEqual(outcome)
    second.forget('job_1')
    expect(second.find('job_1')).toBeUndefined()
    second.close()
  })

  // Only root may mount the small file system that this fills.
  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'refuses to begin on a full disk, and forgets nothing that has happened',
    ({ skip }) => {
      const small = join(folder, 'small')
      mkdirSync(small)
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small], { stdio: 'ignore' })
      } catch {
        skip('no right to mount a disk to fill')
      }
      try {
        const journal = openSqliteJournal(join(small, 'journal.sqlite'))
        const begun = journal.begin(intent('a.py', 'one', 'job_1'))
        const dropped = journal.begin(intent('a.py', 'two', 'job_1'))
        journal.keep('job_2', outcome)
        const fillDisk = () => {
          writeFileSync(join(small, 'filler'), '')
          for (let size = 65_536; size >= 1; size = size >> 1) {
            try {
              for (;;) appendFileSync(join(small, 'filler'), Buffer.alloc(size))
            } catch (error) {
              expect(error).toMatchObject({ code: 'ENOSPC' })
            }
          }
        }
        fillDisk()
        let refused: unknown
        // The log may still have room within its last block.
        for (let count = 0; refused === undefined && count < 1000; count++) {
          try {
            journal.end(journal.begin(intent(`${count}.py`, 'x'.repeat(4000))), 'dropped')
          } catch (error) {
            refused = error
          }
        }
        expect(refused).toMatchObject({ code: 'disk_full' })
        journal.end(begun, 'landed')
        journal.end(dropped, 'dropped')
        journal.keep('job_1', outcome)
        journal.forget('job_2')
        journal.keepStepLater('job_3', 0, { state: 'kept' })
        expect(journal.findSteps('job_3').get(0)).toEqual({ state: 'kept' })
        expect(() => {
          for (let at = 1; at < 1000; at++) journal.keepStep('job_3', at, { text: 'x'.repeat(4000) })
        }).toThrow(expect.objectContaining({ code: 'disk_full' }))
        expect(journal.writesOf('job_1').map(({ afterSha256 }) => afterSha256)).toEqual(['one'])
        expect(journal.find('job_1')).toEqual(outcome)
        expect(journal.find('job_2')).toBeUndefined()

        rmSync(join(small, 'filler'))
        expect(journal.lastWrites().map(({ path }) => path)).toEqual(['a.py'])
        journal.close()
        const next = openSqliteJournal(join(small, 'journal.sqlite'))
        expect(next.unfinished()).toEqual([])
        expect(next.writesOf('job_1').map(({ afterSha256 }) => afterSha256)).toEqual(['one'])
        expect(next.find('job_1')).toEqual(outcome)
        expect(next.find('job_2')).toBeUndefined()
        expect(next.findSteps('job_3').get(0)).toEqual({ state: 'kept' })
        next.close()
      } finally {
        execFileSync('umount', [small])
      }
    },
  )

  it('is readable by its owner only, and refuses a file that is no database', () => {
    openSqliteJournal(file).close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const other = join(folder, 'other.sqlite')
    writeFileSync(other, 'x'.repeat(5000))
    expect(() => openSqliteJournal(other)).toThrow('not a database')
  })
})
