import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import type { Repository } from '../ports/repository.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { openRepository } from './simple-git.ts'

const everything = { path: null, staged: false, revision: null, cursor: null } as const

let repository: TempRepository
let opened: Repository
beforeEach(async () => {
  repository = await createTempRepository({ 'src/a.ts': 'one\n', 'src/b.ts': 'first of b\n' })
  opened = await openRepository({ root: repository.root })
})
afterEach(() => repository.remove())

/** What git itself prints for the work tree, new files included. */
function wholeDiff(...args: string[]): string {
  const env = {
    PATH: process.env.PATH,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_INDEX_FILE: `${repository.folder}/index`,
  }
  const run = (...words: string[]) =>
    execFileSync('git', ['-C', repository.root, ...words], { env, maxBuffer: 1 << 27 }).toString('utf8')
  run('read-tree', 'HEAD')
  run('add', '--intent-to-add', '.')
  return run('diff', '--no-renames', '--diff-algorithm=histogram', '--no-indent-heuristic', 'HEAD', ...args)
}

async function pages(request: Parameters<Repository['diff']>[0]) {
  const found = [await opened.diff(request)]
  for (let last = found[0]; last?.next_cursor; last = found.at(-1)) {
    found.push(await opened.diff({ ...request, cursor: last.next_cursor }))
  }
  return found
}

describe('a diff in pages', () => {
  it('is exactly what git prints, each page with the counts of the whole', async () => {
    for (let index = 0; index < 700; index += 1) repository.write(`many/f${index}.ts`, `line ${index}\n`.repeat(20))
    repository.write('src/a.ts', 'two\n')
    repository.write('one-line.js', `${'é'.repeat(100_000)}\n`)
    const found = await pages(everything)
    expect(found.length).toBeGreaterThan(4)
    expect(found.map(({ diff }) => diff).join('')).toBe(wholeDiff())
    for (const [index, { files_changed, insertions, deletions, diff_truncated }] of found.entries()) {
      expect({ files_changed, insertions, deletions }).toEqual({ files_changed: 702, insertions: 14_002, deletions: 1 })
      expect(diff_truncated).toBe(index < found.length - 1)
    }
  })

  it('shows nothing twice where a file became a folder, or was taken out of the index', async () => {
    repository.write('a-folder/x', 'x\n')
    repository.write('becomes', 'a file\n')
    repository.write('untaken', 'before\n')
    await repository.git('add', '.')
    await repository.git('commit', '-q', '-m', 'more')
    await repository.git('rm', '-q', '--cached', 'becomes', 'untaken')
    execFileSync('rm', [`${repository.root}/becomes`])
    repository.write('becomes/inner.ts', 'inner\n')
    repository.write('becomes-not', 'beside\n')
    repository.write('untaken', 'after\n')
    const { diff } = await opened.diff(everything)
    for (const name of ['becomes', 'becomes/inner.ts', 'becomes-not', 'untaken']) {
      expect(diff.split(`diff --git a/${name} b/${name}\n`).length, name).toBe(2)
    }
  })

  it('is refused from the moment at which it is another, and goes on when it is the same again', async () => {
    repository.write('long.ts', 'x'.repeat(99).concat('\n').repeat(5000))
    const first = await opened.diff(everything)
    const request = { ...everything, cursor: first.next_cursor }
    const second = await opened.diff(request)
    repository.write('src/b.ts', 'by somebody else\n')
    await expect(opened.diff(request)).rejects.toMatchObject({ code: 'conflict' })
    repository.write('src/b.ts', 'first of b\n')
    expect(await opened.diff(request)).toEqual(second)
    await expect(opened.diff({ ...request, staged: true })).rejects.toMatchObject({ code: 'conflict' })
    await repository.git('add', '.')
    // Staged, it is the same diff.
    expect(await opened.diff(request)).toEqual(second)
  })
})

describe('what a commit changed', () => {
  const show = (revision: string) =>
    repository.git('show', '--format=', '--no-renames', '--diff-algorithm=histogram', revision)

  it('is what git shows of it, whatever the work tree holds now', async () => {
    repository.write('src/a.ts', 'two\n')
    repository.write('new.ts', 'new\n')
    await repository.git('rm', '-q', 'src/b.ts')
    await repository.git('add', '.')
    await repository.git('commit', '-q', '-m', 'more')
    repository.write('src/a.ts', 'three\n')
    repository.write('untracked.ts', 'x\n')
    const found = await opened.diff({ ...everything, revision: 'HEAD^!' })
    expect(found).toMatchObject({ files_changed: 3, insertions: 2, deletions: 2, diff_truncated: false })
    expect(found.diff).toBe(await show('HEAD'))
    const first = await opened.diff({ ...everything, revision: 'HEAD~1^!' })
    expect(first.diff).toBe(await show('HEAD~1'))
    expect(first.files_changed).toBe(2)
  })

  it('leaves out what may not be read, and takes a path', async () => {
    repository.write('.env', 'SECRET=1\n')
    repository.write('src/a.ts', 'two\n')
    repository.write('src/b.ts', 'second of b\n')
    await repository.git('add', '-f', '.')
    await repository.git('commit', '-q', '-m', 'more')
    expect((await opened.diff({ ...everything, revision: 'HEAD^!' })).diff).not.toContain('SECRET')
    const path = parseRepositoryPath('src/b.ts')
    expect((await opened.diff({ ...everything, path, revision: 'main^!' })).diff).toBe(
      await repository.git('show', '--format=', 'HEAD', '--', 'src/b.ts'),
    )
  })

  it.each([
    [{ revision: 'HEAD^!', staged: true }, 'invalid_input'],
    [{ revision: 'nowhere^!', staged: false }, 'not_found'],
    [{ revision: 'HEAD^!^!', staged: false }, 'invalid_input'],
    [{ revision: '^!', staged: false }, 'invalid_input'],
  ])('refuses %j', async (request, code) => {
    await expect(opened.diff({ ...everything, ...request })).rejects.toMatchObject({ code })
  })
})
