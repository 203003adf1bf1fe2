import { describe, expect, it } from 'vitest'
import { createSentTasks } from './sent-tasks.ts'

function storage(kept: string | null = null) {
  return {
    getItem: () => kept,
    setItem(_key: string, value: string) {
      kept = value
    },
  }
}

describe('createSentTasks', () => {
  it('finds a task from another tab, until it is over', () => {
    const shared = storage()
    createSentTasks(shared).add('job_1', 'Add x')
    const other = createSentTasks(shared)
    expect(other.find('job_1')).toBe('Add x')
    other.forget('job_1')
    expect(createSentTasks(shared).find('job_1')).toBeUndefined()
  })

  it('keeps the latest few, and goes on where the storage holds something else', () => {
    const tasks = createSentTasks(storage('{"not": "ours"}'))
    for (let index = 0; index < 30; index++) tasks.add(`job_${index}`, 'x')
    expect(tasks.find('job_29')).toBe('x')
    expect(tasks.find('job_0')).toBeUndefined()
  })
})
