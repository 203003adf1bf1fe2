import type { DatabaseSync } from 'node:sqlite'
import type { RunJournal } from '../ports/run-journal.ts'

export const RUNS_SCHEMA = `
create table if not exists runs (job_id text primary key, run text not null, at integer not null) strict;
create table if not exists steps (
  job_id text not null,
  position integer not null,
  step text not null,
  primary key (job_id, position)
) strict, without rowid;
`

/** How the journal around it copes with a full disk. */
export interface FullDisk {
  /** Throws `disk_full`. */
  atOnce<T>(work: () => T): T
  /** Tries again until it is written. */
  later(work: () => void): void
}

/** The runs' tables of the worker's journal. Runs that began before `keptSince` are removed now. */
export function createSqliteRuns(
  database: DatabaseSync,
  { now, keptSince }: { readonly now: () => number; readonly keptSince: number },
  { atOnce, later }: FullDisk,
): RunJournal {
  database.prepare('delete from steps where job_id in (select job_id from runs where at < ?)').run(keptSince)
  database.prepare('delete from runs where at < ?').run(keptSince)

  const findRun = database.prepare('select run from runs where job_id = ?')
  const keepRun = database.prepare(
    'insert into runs (job_id, run, at) values (?, ?, ?) on conflict (job_id) do update set run = excluded.run',
  )
  const findSteps = database.prepare('select position, step from steps where job_id = ?')
  const keepStep = database.prepare('insert or replace into steps (job_id, position, step) values (?, ?, ?)')
  /** What is true and could not be written yet, by job and position. */
  const late = new Map<string, Map<number, string>>()

  const write = (jobId: string, position: number, text: string): void => {
    keepStep.run(jobId, position, text)
    late.get(jobId)?.delete(position)
  }

  return {
    findRun(jobId) {
      const row = findRun.get(jobId)
      return row === undefined ? undefined : JSON.parse(String(row.run))
    },
    keepRun: (jobId, run) => void atOnce(() => keepRun.run(jobId, JSON.stringify(run), now())),
    findSteps(jobId) {
      const texts = new Map(findSteps.all(jobId).map((row) => [Number(row.position), String(row.step)]))
      for (const [position, text] of late.get(jobId) ?? []) texts.set(position, text)
      return new Map([...texts].map(([position, text]): [number, unknown] => [position, JSON.parse(text)]))
    },
    keepStep: (jobId, position, step) => atOnce(() => write(jobId, position, JSON.stringify(step))),
    keepStepLater(jobId, position, step) {
      const text = JSON.stringify(step)
      const waiting = late.get(jobId) ?? new Map<number, string>()
      late.set(jobId, waiting.set(position, text))
      later(() => {
        // A newer text of the step may have been written meanwhile.
        if (late.get(jobId)?.get(position) === text) write(jobId, position, text)
      })
    },
  }
}
