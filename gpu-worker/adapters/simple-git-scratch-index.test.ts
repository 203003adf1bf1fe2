import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { openRepository } from './simple-git.ts'

// Git compares times in seconds. A file that changes, without changing its size, in the second in which the index is
// written differs from its entry in nothing but its content: git looks into it as long as the index is not younger.

const everything = { path: null, staged: false, revision: null, cursor: null } as const

let repository: TempRepository
beforeEach(async () => {
  repository = await createTempRepository({ 'a.ts': 'one\n', 'b.ts': 'one\n' })
  const second = new Date(1_700_000_000_000)
  for (const name of ['a.ts', 'b.ts']) utimesSync(join(repository.root, name), second, second)
  // The index has the time of its files.
  await repository.git('config', 'core.trustctime', 'false')
  await repository.git('update-index', '--refresh')
  utimesSync(join(repository.root, '.git/index'), second, second)
  repository.write('a.ts', 'two\n')
  utimesSync(join(repository.root, 'a.ts'), second, second)
})
afterEach(() => repository.remove())

describe('a change within the second in which the index was written', () => {
  it('is in the diff, with new files beside it and without', async () => {
    const opened = await openRepository({ root: repository.root })
    expect((await opened.diff(everything)).diff).toContain('-one\n+two\n')
    repository.write('new.ts', 'new\n')
    expect((await opened.diff(everything)).diff).toContain('-one\n+two\n')
  })

  it('is still seen by git after a commit of something else', async () => {
    const opened = await openRepository({ root: repository.root })
    repository.write('new.ts', 'new\n')
    await opened.commit({ message: 'm', paths: [parseRepositoryPath('new.ts')], trailers: [] })
    expect(await repository.git('status', '--porcelain')).toBe(' M a.ts\n')
  })
})

describe('an index that a killed process left', () => {
  it('is removed when a worker opens a repository, and one that may be in use is not', async () => {
    const [old, young] = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'millwright-index-'))) as [string, string]
    writeFileSync(join(old, 'index'), 'left')
    const before = new Date(Date.now() - 2 * 60 * 60_000)
    utimesSync(old, before, before)
    try {
      await openRepository({ root: repository.root, isOnlyWriter: true })
      expect([old, young].map((folder) => existsSync(folder))).toEqual([false, true])
    } finally {
      for (const folder of [old, young]) rmSync(folder, { recursive: true, force: true })
    }
  })
})
