import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { writePrivateFile } from './private-files.ts'

export interface StackLock {
  release(): void
}

const Owner = v.pipe(v.string(), v.parseJson(), v.object({ pid: v.number() }))

/**
 * Takes a data folder for this process. Throws an Error that names the process which has it.
 *
 * The lock is SQLite's lock on a file: the kernel gives it up when its holder ends, however it ends. A file with a
 * process id in it would be there still after a crash, and the id might by then be somebody else's. The one beside it
 * only serves the message.
 */
export function acquireStackLock(dataFolder: string): StackLock {
  const ownerFile = join(dataFolder, 'stack.json')
  const database = new DatabaseSync(join(dataFolder, 'stack.lock'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    const owner = v.safeParse(Owner, readOrEmpty(ownerFile))
    const who = owner.success ? `process ${owner.output.pid}` : 'another process'
    throw new Error(
      `Cannot use the data folder ${dataFolder}: a stack already runs on it (${who}). Stop it first, or pass another --data`,
      { cause },
    )
  }
  writePrivateFile(ownerFile, `${JSON.stringify({ pid: process.pid })}\n`)
  return {
    release() {
      rmSync(ownerFile, { force: true })
      database.close()
    },
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
