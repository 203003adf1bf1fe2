import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJobId } from '#shared/ids.ts'
import { createReportFolder } from './report-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-reports-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('createReportFolder', () => {
  it('keeps what it is given, for its user alone, and the newest of many', async () => {
    const reports = createReportFolder(join(folder, 'reports'))
    const jobs = Array.from({ length: 32 }, (_, at) => createJobId(1_700_000_000_000 + at))
    // Not in the order of their jobs.
    for (const job of jobs.toReversed()) await reports.keep(job, `report of ${job}`)
    const [first, , third] = jobs
    const last = jobs.at(-1)
    if (first === undefined || third === undefined || last === undefined) throw new Error('no jobs')
    expect(await reports.read(last)).toBe(`report of ${last}`)
    expect(await reports.read(third)).toBe(`report of ${third}`)
    await expect(reports.read(first)).rejects.toMatchObject({ code: 'not_found' })
    await reports.keep(last, 'again')
    expect(await reports.read(last)).toBe('again')
    const names = readdirSync(join(folder, 'reports'))
    expect(names).toHaveLength(30)
    expect(statSync(join(folder, 'reports')).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'reports', names[0] ?? '')).mode & 0o077).toBe(0)
  })

  it('says that its folder cannot be used', async () => {
    writeFileSync(join(folder, 'reports'), 'a file')
    const reports = createReportFolder(join(folder, 'reports'))
    await expect(reports.keep(createJobId(0), 'x')).rejects.toMatchObject({ code: 'unavailable' })
  })
})
