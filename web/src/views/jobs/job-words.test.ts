import { describe, expect, it } from 'vitest'
import type { Job, JobProgress } from '#shared/schemas/job.ts'
import { shareOf } from './job-share.ts'
import { workTime } from './job-words.ts'

const progress = (message: string, steps?: JobProgress['steps']): JobProgress => ({
  phase: 'checking',
  round: 0,
  tokens: 0,
  message,
  ...(steps === undefined ? {} : { steps }),
})
const step = (state: string) => ({ path: 'a.py', action: 'refactor_code', state })

describe('shareOf', () => {
  it('is read from what the worker says, and known only where it says so', () => {
    expect(shareOf(progress('Checked 10 of 40 files'))).toBe(0.25)
    expect(shareOf(progress('Checked 0 of 0 files'))).toBeUndefined()
    expect(shareOf(progress('Looking for files'))).toBeUndefined()
  })

  it('counts the steps that have ended', () => {
    expect(shareOf(progress('', [step('kept'), step('running'), step('planned'), step('not_kept')]))).toBe(0.5)
  })
})

describe('workTime', () => {
  const job = (started_at: string | null, finished_at: string | null): Job => ({ started_at, finished_at }) as Job
  const start = '2026-01-01T00:00:00.000Z'

  it('goes on until the job has ended', () => {
    expect(workTime(job(null, null), 0)).toBeNull()
    expect(workTime(job(start, null), Date.parse(start) + 2500)).toBe('2.5 s')
    expect(workTime(job(start, '2026-01-01T00:01:30.000Z'), 0)).toBe('1 min 30 s')
    // Another clock than the server's.
    expect(workTime(job(start, null), Date.parse(start) - 2500)).toBe('0 ms')
  })
})
