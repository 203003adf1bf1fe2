import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { openRepository } from '../adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '../adapters/sqlite-journal.ts'
import type { WriteIntent } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { commitTrailers, writesSince } from './commit-trailers.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** `X>A j1` is a write by job j1 that made A of X; `-` is no file. */
function write(text: string): WriteIntent {
  const [change = '', jobId = null] = text.split(' ')
  const [before, after] = change.split('>').map((content) => (content === '-' ? null : content))
  const path = 'a.py' as RepositoryPath
  return {
    path,
    beforeSha256: before ?? null,
    afterSha256: after ?? null,
    blob: null,
    jobId,
    agentId: null,
    outcome: null,
  }
}

const jobsSince = (writes: string[], committed: string | null, current: string | null): (string | null)[] =>
  writesSince(
    writes.map((each) => write(each)),
    committed,
    current,
  ).map(({ jobId }) => jobId)

describe('writesSince', () => {
  it.each([
    ['all since the commit', ['X>A j1', 'A>B j2'], 'X', 'B', ['j1', 'j2']],
    ['none that was committed before', ['X>A j1', 'A>B j2', 'B>C j3'], 'A', 'C', ['j2', 'j3']],
    ['the job that made the file', ['->A j1', 'A>B j2'], null, 'B', ['j1', 'j2']],
    ['the job that removed it', ['X>A j1', 'A>- j2'], 'X', null, ['j1', 'j2']],
    ['none that was taken back', ['X>A j1', 'A>X j2', 'X>B j3'], 'X', 'B', ['j3']],
    ['what a person wrote upon', ['X>A j1', 'P>B j2'], 'X', 'B', ['j1', 'j2']],
    ['what a person changed afterwards', ['X>A j1'], 'X', 'P', ['j1']],
    ['only what is sure, behind a commit of unknown content', ['X>A j1', 'P>B j2', 'B>C j3'], 'Y', 'C', ['j2', 'j3']],
    ['nothing that is unsure', ['X>A j1', 'A>B j2'], 'Y', 'P', []],
    ['nothing where nothing was written', [], 'X', 'P', []],
  ])('names %s', (_what, writes, committed, current, jobs) => {
    expect(jobsSince(writes, committed, current)).toEqual(jobs)
  })
})

describe('commitTrailers', () => {
  let world: TempRepository
  let journal: SqliteJournal
  beforeEach(async () => {
    world = await createTempRepository({ 'a.py': 'X', 'b.py': 'X\n', 'c.py': 'X', '.gitattributes': '*.py text\n' })
    journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  })
  afterEach(() => {
    journal.close()
    world.remove()
  })

  /** Writes a file as a job of an agent does. */
  function land(path: string, text: string, agentId: string | null, jobId: string | null): void {
    const beforeSha256 = world.exists(path) ? sha256(world.read(path)) : null
    const file = { path: path as RepositoryPath, beforeSha256, afterSha256: sha256(text), blob: null }
    const id = journal.begin({ ...file, jobId, agentId, outcome: null })
    world.write(path, text)
    journal.end(id, 'landed')
  }

  async function trailersOf(paths: string[], committing: string | null): Promise<string[]> {
    const files = await createNodeFileTree({ root: world.root })
    const repository = await openRepository({ root: world.root })
    const found = await commitTrailers({ files, repository, journal }, paths as RepositoryPath[], committing)
    return found.map(({ token, value }) => `${token}: ${value}`)
  }

  it('names each agent and each job once, the agent that commits first, and nobody twice in two commits', async () => {
    land('a.py', 'A', 'alpha', 'job_1')
    land('a.py', 'B', 'alpha', 'job_2')
    land('b.py', 'A\n', 'beta', 'job_3')
    land('b.py', 'B\n', 'beta', null)
    land('c.py', 'A', null, null)
    land('new.py', 'A', 'gamma', 'job_4')
    expect(await trailersOf(['b.py', 'a.py', 'c.py', 'README.md'], 'alpha')).toEqual([
      'Millwright-Agent: alpha',
      'Millwright-Agent: beta',
      'Millwright-Job: job_3',
      'Millwright-Job: job_1',
      'Millwright-Job: job_2',
    ])
    expect(await trailersOf(['c.py'], null)).toEqual([])
    expect(await trailersOf(['new.py'], null)).toEqual(['Millwright-Agent: gamma', 'Millwright-Job: job_4'])
    await world.git('commit', '-q', '-am', 'by a person')
    land('a.py', 'C', 'alpha', 'job_5')
    expect(await trailersOf(['a.py', 'b.py'], null)).toEqual(['Millwright-Agent: alpha', 'Millwright-Job: job_5'])
  })

  it('knows what was committed where git changes the line ends, and runs no filter for it', async () => {
    await world.git('config', 'core.autocrlf', 'true')
    await world.git('config', 'filter.evil.smudge', `touch ${join(world.folder, 'marker')}; cat`)
    world.write('.gitattributes', '*.py text filter=evil\n')
    land('b.py', 'A\r\n', 'beta', 'job_1')
    await world.git('-c', 'filter.evil.smudge=', 'commit', '-q', '-am', 'by a person')
    land('b.py', 'B\r\n', 'beta', 'job_2')
    expect(await trailersOf(['b.py'], null)).toEqual(['Millwright-Agent: beta', 'Millwright-Job: job_2'])
    expect(existsSync(join(world.folder, 'marker'))).toBe(false)
  })
})
