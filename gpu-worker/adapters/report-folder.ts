import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { JobId } from '#shared/ids.ts'
import type { ReportStore } from '../ports/report-store.ts'

/** A report is a few megabytes at most, so all of them are at most a hundred or two. */
const REPORTS_MAX = 30

/** Keeps reports as files in the worker's data folder, readable by its user only. Made with the first report. */
export function createReportFolder(folder: string): ReportStore {
  const fileOf = (job: string): string => join(folder, `${job}.sarif`)
  return {
    async keep(job, text) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const temporary = `${fileOf(job)}.tmp`
        await writeFile(temporary, text, { mode: 0o600 })
        await rename(temporary, fileOf(job))
        // Job ids begin with their time, so the order of names is that of jobs.
        const names = (await readdir(folder)).filter((name) => name.endsWith('.sarif')).toSorted()
        for (const name of names.slice(0, -REPORTS_MAX)) await rm(join(folder, name), { force: true })
      } catch (cause) {
        throw toStoreError(cause)
      }
    },

    async read(job: JobId) {
      try {
        return await readFile(fileOf(job), 'utf8')
      } catch (cause) {
        if (codeOf(cause) !== 'ENOENT') throw toStoreError(cause)
        throw new AppError('not_found', `Cannot read the report of job "${job}": there is none here`, {
          hint: `The newest ${REPORTS_MAX} are kept; run the validation again`,
          cause,
        })
      }
    },
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null)

function toStoreError(cause: unknown): AppError {
  return codeOf(cause) === 'ENOSPC'
    ? new AppError('disk_full', "Cannot keep the report: the disk of the worker's data folder is full", { cause })
    : new AppError('unavailable', "Cannot keep or read the report: the worker's data folder cannot be used", { cause })
}
