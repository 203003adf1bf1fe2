import * as v from 'valibot'

/** What this browser has asked for and not yet heard the end of: the server tells of a task's words only when it has ended. */
export interface SentTasks {
  find(jobId: string): string | undefined
  add(jobId: string, task: string): void
  forget(jobId: string): void
}

const KEY = 'millwright.sent-tasks'
const KEPT_MAX = 20
const Kept = v.array(v.tuple([v.string(), v.string()]))

/** Kept in the browser's storage, for its other tabs and for after a reload; what cannot be read there counts as nothing. */
export function createSentTasks(storage: Pick<Storage, 'getItem' | 'setItem'>): SentTasks {
  function read(): [string, string][] {
    try {
      return v.parse(Kept, JSON.parse(storage.getItem(KEY) ?? '[]'))
    } catch {
      return []
    }
  }
  function write(tasks: readonly [string, string][]): void {
    try {
      storage.setItem(KEY, JSON.stringify(tasks.slice(-KEPT_MAX)))
    } catch {
      // A full storage costs only that the words are not shown meanwhile.
    }
  }
  return {
    find: (jobId) => read().find(([id]) => id === jobId)?.[1],
    add: (jobId, task) => write([...read().filter(([id]) => id !== jobId), [jobId, task]]),
    forget: (jobId) => {
      const tasks = read()
      if (tasks.some(([id]) => id === jobId)) write(tasks.filter(([id]) => id !== jobId))
    },
  }
}
