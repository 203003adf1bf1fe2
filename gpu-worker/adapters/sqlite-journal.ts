import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { JobOutcome } from '#shared/schemas/job.ts'
import type { JobJournal } from '../ports/job-journal.ts'
import type { RunJournal } from '../ports/run-journal.ts'
import type { WriteIntent, WriteJournal } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { createSqliteRuns, RUNS_SCHEMA } from './sqlite-runs.ts'

const SCHEMA = `
create table if not exists writes (
  id integer primary key,
  path text not null,
  before_sha256 text,
  after_sha256 text,
  blob text,
  job_id text,
  agent_id text,
  outcome text,
  state text not null check (state in ('begun', 'landed', 'dropped')),
  at integer not null
) strict;
create index if not exists writes_by_path on writes (path, id);
create index if not exists writes_by_job on writes (job_id, id);
create table if not exists outcomes (job_id text primary key, outcome text not null, at integer not null) strict;
`

/** Entries older than this are of no use to undo, commit or recovery. */
const KEEP_MS = 30 * 24 * 60 * 60_000

const Row = v.object({
  id: v.number(),
  path: v.string(),
  before_sha256: v.nullable(v.string()),
  after_sha256: v.nullable(v.string()),
  blob: v.nullable(v.string()),
  job_id: v.nullable(v.string()),
  agent_id: v.nullable(v.string()),
  outcome: v.nullable(v.string()),
})
const Outcome = v.record(v.string(), v.unknown())

export interface SqliteJournal extends WriteJournal, JobJournal, RunJournal {
  /** Writes that a killed worker began. The caller looks at the files and ends each. */
  unfinished(): readonly { id: number; intent: WriteIntent }[]
  close(): void
}

/** The worker's own memory, one file in its data folder. Throws `unavailable` for a file that is not a database. */
export function openSqliteJournal(file: string, now: () => number = Date.now): SqliteJournal {
  const database = open(file)
  database.prepare("delete from writes where at < ? and state <> 'begun'").run(now() - KEEP_MS)

  const begin = database.prepare(
    "insert into writes (path, before_sha256, after_sha256, blob, job_id, agent_id, outcome, state, at) values (?, ?, ?, ?, ?, ?, ?, 'begun', ?)",
  )
  const end = database.prepare('update writes set state = ? where id = ?')
  const lastWrites = database.prepare(
    "select * from writes where id in (select max(id) from writes where state = 'landed' group by path) order by id",
  )
  const writesTo = database.prepare("select * from writes where path = ? and state = 'landed' order by id")
  const writesOf = database.prepare("select * from writes where job_id = ? and state <> 'dropped' order by id")
  const unfinished = database.prepare("select * from writes where state = 'begun' order by id")
  const keep = database.prepare('insert or replace into outcomes (job_id, outcome, at) values (?, ?, ?)')
  const find = database.prepare('select outcome from outcomes where job_id = ?')
  const forget = database.prepare('delete from outcomes where job_id = ?')

  const late = new LateWrites()
  // What is true and could not be written yet.
  const endedLate = new Map<number, 'landed' | 'dropped'>()
  const outcomesLate = new Map<string, JobOutcome | undefined>()
  const runs = createSqliteRuns(
    database,
    { now, keptSince: now() - KEEP_MS },
    { atOnce, later: (work) => late.write(work) },
  )

  return {
    ...runs,
    begin: (intent) => {
      late.flush()
      return atOnce(() =>
        Number(
          begin.run(
            intent.path,
            intent.beforeSha256,
            intent.afterSha256,
            intent.blob,
            intent.jobId,
            intent.agentId,
            intent.outcome === null ? null : JSON.stringify(intent.outcome),
            now(),
          ).lastInsertRowid,
        ),
      )
    },
    end: (id, how) => {
      endedLate.set(id, how)
      late.write(() => {
        end.run(how, id)
        endedLate.delete(id)
      })
    },
    lastWrites: () => {
      late.flush()
      return lastWrites.all().map(toIntent)
    },
    writesTo: (path) => {
      late.flush()
      return writesTo.all(path).map(toIntent)
    },
    writesOf: (jobId) =>
      writesOf
        .all(jobId)
        .filter(({ id, state }) => (endedLate.get(Number(id)) ?? state) === 'landed')
        .map(toIntent),
    unfinished: () => unfinished.all().map((row) => ({ id: v.parse(Row, row).id, intent: toIntent(row) })),
    keep: (jobId, outcome) => {
      outcomesLate.set(jobId, outcome)
      late.write(() => {
        keep.run(jobId, JSON.stringify(outcome), now())
        outcomesLate.delete(jobId)
      })
    },
    find: (jobId) => {
      if (outcomesLate.has(jobId)) return outcomesLate.get(jobId)
      const row = find.get(jobId)
      return row === undefined ? undefined : v.parse(JobOutcome, JSON.parse(String(row.outcome)))
    },
    forget: (jobId) => {
      outcomesLate.set(jobId, undefined)
      late.write(() => {
        forget.run(jobId)
        outcomesLate.delete(jobId)
      })
    },
    close: () => {
      late.flush()
      database.close()
    },
  }
}

/** On a full disk what has happened is still true: it is written, in order, as soon as there is space. */
class LateWrites {
  readonly #waiting: (() => void)[] = []

  write(work: () => void): void {
    this.#waiting.push(work)
    this.flush()
  }

  flush(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        next()
      } catch (error) {
        if (isFull(error)) return
        this.#waiting.shift()
        throw error
      }
      this.#waiting.shift()
    }
  }
}

function atOnce<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!isFull(cause)) throw cause
    throw new AppError('disk_full', "Cannot begin to write: the disk of the worker's data folder is full", {
      hint: 'Free space, then call again; everything is as it was',
      cause,
    })
  }
}

/** SQLITE_FULL. */
const FULL = 13

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === FULL

function open(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    const database = new DatabaseSync(file)
    chmodSync(file, 0o600)
    database.exec('pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full')
    database.exec(SCHEMA)
    addMissingColumn(database)
    database.exec(RUNS_SCHEMA)
    return database
  } catch (cause) {
    throw new AppError('unavailable', "Cannot open the worker's journal: the file is not a database that we can use", {
      cause,
      hint: 'Move worker/journal.sqlite in the data folder away; git keeps the earlier versions of files',
    })
  }
}

/** A journal of a worker from before agents were noted has the writes, and not by whom. */
function addMissingColumn(database: DatabaseSync): void {
  const columns = database.prepare('pragma table_info(writes)').all()
  if (!columns.some(({ name }) => name === 'agent_id')) database.exec('alter table writes add column agent_id text')
}

function toIntent(value: unknown): WriteIntent {
  const row = v.parse(Row, value)
  return {
    // Was a RepositoryPath when it was written, and is resolved again before it is used.
    path: row.path as RepositoryPath,
    beforeSha256: row.before_sha256,
    afterSha256: row.after_sha256,
    blob: row.blob,
    jobId: row.job_id,
    agentId: row.agent_id,
    outcome: row.outcome === null ? null : v.parse(Outcome, JSON.parse(row.outcome)),
  }
}
