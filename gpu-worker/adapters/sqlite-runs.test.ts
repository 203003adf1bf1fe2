import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteJournal, type SqliteJournal } from './sqlite-journal.ts'

const DAY_MS = 24 * 60 * 60_000

describe('the runs of the journal', () => {
  let folder: string
  let journal: SqliteJournal
  let nowMs: number
  const open = (): SqliteJournal => openSqliteJournal(join(folder, 'journal.sqlite'), () => nowMs)
  const reopen = (): void => {
    journal.close()
    journal = open()
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-runs-'))
    nowMs = Date.UTC(2026, 0, 1)
    journal = open()
  })
  afterEach(() => {
    journal.close()
    rmSync(folder, { recursive: true })
  })

  it('survive the worker: the plan, and of each step what was kept last', () => {
    journal.keepRun('job_a', { goal: 'x' })
    journal.keepStep('job_a', 1, { state: 'running' })
    journal.keepStep('job_a', 0, { state: 'kept' })
    journal.keepStepLater('job_a', 1, { state: 'kept' })
    journal.keepStep('job_b', 0, { state: 'other' })
    reopen()
    expect(journal.findRun('job_a')).toEqual({ goal: 'x' })
    expect(journal.findRun('job_b')).toBeUndefined()
    expect(journal.findSteps('job_a')).toEqual(
      new Map([
        [0, { state: 'kept' }],
        [1, { state: 'kept' }],
      ]),
    )
  })

  it('are forgotten after a month, steps and all', () => {
    journal.keepRun('job_a', {})
    journal.keepStep('job_a', 0, {})
    nowMs += 29 * DAY_MS
    journal.keepRun('job_b', {})
    reopen()
    expect(journal.findRun('job_a')).toEqual({})
    nowMs += 2 * DAY_MS
    reopen()
    expect(journal.findRun('job_a')).toBeUndefined()
    expect(journal.findSteps('job_a').size).toBe(0)
    expect(journal.findRun('job_b')).toEqual({})
  })
})
