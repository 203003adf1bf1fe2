import { describe, expect, it } from 'vitest'
import { createJobId } from '#shared/ids.ts'
import { acceptTask, isOwnTask, revertTask, toTurns } from './turns.ts'

const message = (role: 'user' | 'agent', text: string, job_id: string | null, second: number) => ({
  role,
  text,
  job_id,
  created_at: `2026-01-01T00:00:0${second}Z`,
})

describe('toTurns', () => {
  it('puts question and answer of a job together, oldest first', () => {
    const messages = [
      message('agent', 'Did b', 'j2', 2),
      message('user', 'Do b', 'j2', 2),
      message('user', 'Do a', 'j1', 1),
      message('agent', 'Did a', 'j1', 1),
      message('agent', 'of nobody', null, 3),
    ]
    expect(toTurns(messages).map(({ task, answer }) => [task, answer])).toEqual([
      ['Do a', 'Did a'],
      ['Do b', 'Did b'],
    ])
  })
})

describe('isOwnTask', () => {
  it('knows what the page says by itself, and nothing else', () => {
    const job = createJobId(Date.UTC(2026, 0, 1))
    expect(isOwnTask(acceptTask(job))).toBe(true)
    expect(isOwnTask(revertTask(job))).toBe(true)
    expect(isOwnTask('Take back the last change')).toBe(false)
  })
})
