import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { dataFolderOf } from './live-stack.ts'
import type { TempRepository } from './temp-repository.ts'

const Write = v.object({ path: v.string(), job_id: v.nullable(v.string()), state: v.string() })

/** What the worker of a repository wrote, for which job, and how each write ended. */
export function readWrites(repository: TempRepository): v.InferOutput<typeof Write>[] {
  return read(repository, Write, 'select path, job_id, state from writes order by id')
}

/** The jobs whose outcome the worker has and does not know to be in the registry. */
export function readUnreported(repository: TempRepository): string[] {
  return read(repository, v.object({ job_id: v.string() }), 'select job_id from outcomes').map(({ job_id }) => job_id)
}

function read<const S extends v.GenericSchema>(
  repository: TempRepository,
  row: S,
  statement: string,
): v.InferOutput<S>[] {
  const database = new DatabaseSync(join(dataFolderOf(repository), 'worker', 'journal.sqlite'), { readOnly: true })
  try {
    return v.parse(v.array(row), database.prepare(statement).all())
  } finally {
    database.close()
  }
}
