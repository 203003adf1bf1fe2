import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { CommitRequest, Repository } from '../ports/repository.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { type OpenRepositoryOptions, openRepository } from './simple-git.ts'

const CANARY = 'canary-4711'

let base: string
let root: string
let out: string
let marker: string

beforeEach(() => {
  base = mkdtempSync(join(realpathSync(tmpdir()), 'simple-git-'))
  root = join(base, 'root')
  out = join(base, 'out')
  marker = join(base, 'marker')
  mkdirSync(root)
  mkdirSync(out)
  writeFileSync(join(out, 'secret.txt'), CANARY)
  git('init', '-q', '-b', 'main')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

/** The user's own git. */
function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=User', '-c', 'user.email=user@example.org', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: base, GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'file' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
const git = (...args: string[]): string => gitIn(root, ...args)

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function firstCommit(): void {
  put('src/a.ts', 'one\n')
  put('src/b.ts', 'first of b\n')
  git('add', '.')
  git('commit', '-q', '-m', 'first')
}

const openHere = (options: Partial<OpenRepositoryOptions> = {}): Promise<Repository> =>
  openRepository({ root, lockDeadlineMs: 300, ...options })

const commitRequest = (message: string, ...paths: string[]): CommitRequest => ({
  message,
  paths: paths.map(parse),
  trailers: [],
})
const everything = { path: null, staged: false, revision: null, cursor: null } as const
const firstPage = { limit: 50, path: null, cursor: null } as const

/** The code of what a promise rejects with; also fails when the message tells what it must not. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { accepted: await promise }
  } catch (error) {
    expect(String(error)).not.toContain(base)
    expect(String(error)).not.toContain(CANARY)
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

/** What a refusal must leave as it was. */
const state = (): string[] => [
  git('rev-parse', '--all'),
  git('symbolic-ref', '-q', 'HEAD'),
  git('ls-files', '-s'),
  git('status', '--porcelain', '-uall'),
]

describe('openRepository', () => {
  it.each([
    ['a folder without a repository', () => rmSync(join(root, '.git'), { recursive: true })],
    ['a bare repository', () => gitIn(base, 'clone', '-q', '--bare', root, 'bare'), 'bare'],
    ['a folder below the top', () => put('src/a.ts', ''), 'root/src'],
    ['a folder that is missing', () => undefined, 'none'],
    [
      'a .git that is a link',
      () => {
        renameSync(join(root, '.git'), join(base, 'elsewhere'))
        symlinkSync(join(base, 'elsewhere'), join(root, '.git'))
      },
    ],
    ['a work tree that is elsewhere', () => git('config', 'core.worktree', out)],
  ] as [string, () => unknown, string?][])('refuses %s', async (_what, prepare, folder = 'root') => {
    prepare()
    expect(await codeOf(openRepository({ root: join(base, folder) }))).toBe('unavailable')
  })

  it('does not take a repository around the folder', async () => {
    mkdirSync(join(root, 'inner'))
    expect(await codeOf(openRepository({ root: join(root, 'inner') }))).toBe('unavailable')
  })

  it('says where git is missing or too old, and does not use one that the repository brings', async () => {
    put('git', '#!/bin/sh\necho git version 2.99.0\n')
    chmodSync(join(root, 'git'), 0o755)
    await expect(openHere({ searchPath: `${root}:.:relative` })).rejects.toThrow('not found')
    const old = join(base, 'old-git')
    writeFileSync(old, '#!/bin/sh\necho git version 2.20.1\n', { mode: 0o755 })
    await expect(openHere({ gitBinary: old })).rejects.toThrow('version 2.20')
    await expect(openHere({ gitBinary: join(base, 'no-git') })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('opens a linked work tree', async () => {
    firstCommit()
    git('worktree', 'add', '-q', join(base, 'tree'), '-b', 'other')
    const repository = await openRepository({ root: join(base, 'tree') })
    writeFileSync(join(base, 'tree/src/a.ts'), 'two\n')
    const { branch } = await repository.commit(commitRequest('in the tree', 'src/a.ts'))
    expect(branch).toBe('other')
    expect(gitIn(join(base, 'tree'), 'status', '--porcelain')).toBe('')
    expect(git('show', 'other:src/a.ts')).toBe('two\n')
  })
})

describe('an empty repository', () => {
  it('answers plainly, and takes a first commit', async () => {
    const repository = await openHere()
    expect(await repository.status()).toEqual({
      branch: 'main',
      head: null,
      ahead: 0,
      behind: 0,
      files: [],
      truncated: false,
    })
    expect(await repository.log(firstPage)).toEqual({ commits: [], next_cursor: null })
    expect((await repository.diff(everything)).diff).toBe('')
    put('a.ts', 'one\ntwo\n')
    expect(await repository.diff(everything)).toMatchObject({ files_changed: 1, insertions: 2, deletions: 0 })
    expect(await codeOf(repository.commit(commitRequest('x', 'none.ts')))).toBe('not_found')
    const { commit, branch, files } = await repository.commit(commitRequest('first', 'a.ts'))
    expect({ branch, files }).toEqual({ branch: 'main', files: ['a.ts'] })
    expect(git('rev-parse', 'HEAD').trim()).toBe(commit)
    expect(git('status', '--porcelain')).toBe('')
    expect(git('fsck', '--strict', '--no-dangling')).toBe('')
  })
})

describe('status', () => {
  it('tells branch and files, with the letters of git', async () => {
    firstCommit()
    put('src/a.ts', 'two\n')
    put('src/b.ts', 'two\n')
    git('add', 'src/b.ts')
    put('new.ts', '')
    put('.millwright-0123456789abcdef.tmp', '')
    expect(await (await openHere()).status()).toEqual({
      branch: 'main',
      head: git('rev-parse', 'HEAD').trim(),
      ahead: 0,
      behind: 0,
      files: [
        { path: 'src/a.ts', index: ' ', worktree: 'M' },
        { path: 'src/b.ts', index: 'M', worktree: ' ' },
        { path: 'new.ts', index: '?', worktree: '?' },
      ],
      truncated: false,
    })
    git('checkout', '-q', '--detach')
    expect((await (await openHere()).status()).branch).toBeNull()
  })

  it('counts commits ahead and behind', async () => {
    firstCommit()
    git('branch', 'up')
    git('branch', '-q', '--set-upstream-to=up')
    git('commit', '-q', '--allow-empty', '-m', 'second')
    expect(await (await openHere()).status()).toMatchObject({ ahead: 1, behind: 0 })
  })

  it('shows names that would steer a terminal as escapes, and takes none for an option', async () => {
    for (const name of ['a\nb', '\u001b[31mred', 'quo"te', '--force', 'bidi\u202ex', '-rf', 'tab\t', 'plain é'])
      put(name, '')
    const { files } = await (await openHere()).status()
    expect(files.map((file) => file.path).toSorted()).toEqual([
      '"\\u{1b}[31mred"',
      '"a\\u{a}b"',
      '"bidi\\u{202e}x"',
      '"quo\\"te"',
      '"tab\\u{9}"',
      '--force',
      '-rf',
      'plain é',
    ])
  })

  it('stops at a number of files and says so', async () => {
    for (let index = 0; index < 1001; index += 1) put(`f${index}`, '')
    const { files, truncated } = await (await openHere()).status()
    expect([files.length, truncated]).toEqual([1000, true])
  })
})

describe('diff', () => {
  beforeEach(firstCommit)

  it('compares the work tree with the last commit, new files included, and touches nothing', async () => {
    put('src/a.ts', 'two\n')
    put('new.ts', 'first\nsecond\n')
    unlinkSync(join(root, 'src/b.ts'))
    const before = [state(), readFileSync(join(root, '.git/index')), git('count-objects')]
    const { diff, ...counts } = await (await openHere()).diff(everything)
    expect(counts).toEqual({ diff_truncated: false, next_cursor: null, files_changed: 3, insertions: 3, deletions: 2 })
    expect(diff).toContain('diff --git a/src/a.ts b/src/a.ts\n')
    expect(diff).toContain('-one\n+two\n')
    expect(diff).toContain('new file mode 100644\n')
    expect(diff).toContain('+first\n+second\n')
    expect(diff).toContain('deleted file mode 100644\n')
    expect([state(), readFileSync(join(root, '.git/index')), git('count-objects')]).toEqual(before)
  })

  it('takes one path, the index, and another revision', async () => {
    put('src/a.ts', 'two\n')
    git('commit', '-q', '-am', 'second')
    put('src/a.ts', 'three\n')
    put('src/b.ts', 'staged\n')
    git('add', 'src/b.ts')
    const repository = await openHere()
    const path = parseRepositoryPath('src/a.ts')
    expect((await repository.diff({ ...everything, path })).diff).toContain('-two\n+three\n')
    expect((await repository.diff({ ...everything, path })).diff).not.toContain('staged')
    expect((await repository.diff({ ...everything, staged: true })).diff).toContain('+staged\n')
    expect((await repository.diff({ ...everything, staged: true })).diff).not.toContain('three')
    for (const revision of ['HEAD~1', 'main^', 'HEAD@{1}', git('rev-parse', 'HEAD~1').trim()]) {
      expect((await repository.diff({ ...everything, path, revision })).diff).toContain('-one\n+three\n')
    }
  })

  it.each([
    ['--output=x', 'invalid_input'],
    ['--no-index', 'invalid_input'],
    ['--ext-diff', 'invalid_input'],
    ['-O/etc/passwd', 'invalid_input'],
    ['--outpu=x', 'invalid_input'],
    ['refs/heads/../../x', 'invalid_input'],
    ['HEAD..main', 'invalid_input'],
    ['HEAD:src/a.ts', 'invalid_input'],
    [':/first', 'invalid_input'],
    ['HEAD^{/first}', 'invalid_input'],
    ['HEAD@{yesterday}', 'invalid_input'],
    ['a b', 'invalid_input'],
    ['a\0b', 'invalid_input'],
    ['$(touch x)', 'invalid_input'],
    ['x'.repeat(201), 'invalid_input'],
    ['refs/heads/--output=x', 'invalid_input'],
    ['no-such-branch', 'not_found'],
    ['0'.repeat(40), 'not_found'],
  ])('refuses the revision %j', async (revision, code) => {
    const repository = await openHere()
    expect(await codeOf(repository.diff({ ...everything, revision }))).toBe(code)
    expect(readdirSync(root).toSorted()).toEqual(['.git', 'src'])
  })

  it('shows nothing that may not be read, tracked or not, and nothing that lies outside', async () => {
    put('.env', `${CANARY}\n`)
    put('tls/server.key', 'old\n')
    git('add', '-f', 'tls/server.key')
    git('commit', '-q', '-m', 'a key')
    put('tls/server.key', `${CANARY}\n`)
    linkSync(join(out, 'secret.txt'), join(root, 'hard.txt'))
    unlinkSync(join(root, 'src/b.ts'))
    linkSync(join(out, 'secret.txt'), join(root, 'src/b.ts'))
    symlinkSync(out, join(root, 'linkdir'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    unlinkSync(join(root, 'src/a.ts'))
    execFileSync('mkfifo', [join(root, 'src/a.ts')])
    mkdirSync(join(root, 'nested'))
    gitIn(join(root, 'nested'), 'init', '-q')
    put('nested/x', CANARY)
    const repository = await openHere()
    const { diff } = await repository.diff(everything)
    expect(diff).not.toContain(CANARY)
    expect((await repository.diff({ ...everything, staged: true })).diff).not.toContain(CANARY)
    expect(await codeOf(repository.diff({ ...everything, path: parseRepositoryPath('.env') }))).toBe('protected_path')
  })

  it('cuts a long diff and says so, with the counts of the whole', async () => {
    put('long.ts', `${'x'.repeat(99)}\n`.repeat(5000))
    const { diff, diff_truncated, insertions } = await (await openHere()).diff(everything)
    expect([diff_truncated, insertions]).toEqual([true, 5000])
    expect(Buffer.byteLength(diff)).toBeLessThanOrEqual(DIFF_BYTES_MAX)
    expect(diff.endsWith('x\n')).toBe(true)
  })
})

describe('commit', () => {
  beforeEach(firstCommit)

  it("commits the named paths alone and leaves the user's other work as it is", async () => {
    put('src/a.ts', 'two\n')
    put('src/b.ts', 'staged\n')
    git('add', 'src/b.ts')
    put('src/b.ts', 'staged and dirty\n')
    put('untracked.ts', 'mine\n')
    put('new/deep.ts', 'new\n')
    const { commit, files } = await (await openHere()).commit(commitRequest('two files', 'src/a.ts', 'new/deep.ts'))
    expect(files).toEqual(['new/deep.ts', 'src/a.ts'])
    expect(git('show', '--format=', '--name-status', commit)).toBe('A\tnew/deep.ts\nM\tsrc/a.ts\n')
    expect(git('status', '--porcelain')).toBe('MM src/b.ts\n?? untracked.ts\n')
    expect(git('show', ':src/b.ts')).toBe('staged\n')
    expect(git('reflog', '-1', '--format=%gs').trim()).toBe('commit: two files')
    expect(git('fsck', '--strict', '--no-dangling')).toBe('')
    expect(existsSync(join(root, '.git/index.lock'))).toBe(false)
  })

  it('commits the work tree where something else of the path was staged, and deletions', async () => {
    put('src/a.ts', 'staged\n')
    git('add', 'src/a.ts')
    put('src/a.ts', 'final\n')
    unlinkSync(join(root, 'src/b.ts'))
    const { files } = await (await openHere()).commit(commitRequest('m', 'src/a.ts', 'src/b.ts'))
    expect(files).toEqual(['src/a.ts', 'src/b.ts'])
    expect(git('show', 'HEAD:src/a.ts')).toBe('final\n')
    expect(git('ls-files')).toBe('src/a.ts\n')
    expect(git('status', '--porcelain')).toBe('')
  })

  it('keeps the executable bit, and converts line endings as the attributes say', async () => {
    put('.gitattributes', '*.txt text eol=crlf\n')
    git('add', '.gitattributes')
    put('run.sh', '#!/bin/sh\n')
    chmodSync(join(root, 'run.sh'), 0o755)
    put('win.txt', 'a\r\n')
    await (await openHere()).commit(commitRequest('m', 'run.sh', 'win.txt'))
    expect(git('ls-tree', 'HEAD', 'run.sh')).toMatch(/^100755/u)
    expect(git('show', 'HEAD:win.txt')).toBe('a\n')
    expect(git('status', '--porcelain')).toBe('A  .gitattributes\n')
  })

  it('takes the message literally, with trailers in a paragraph of their own', async () => {
    put('src/a.ts', 'two\n')
    const message = `$(touch ${marker}) \`touch ${marker}\` ; touch ${marker}\n\n# not a comment\n-- --amend`
    await (await openHere()).commit({
      message,
      paths: [parseRepositoryPath('src/a.ts')],
      trailers: [
        { token: 'Millwright-Agent', value: 'a1' },
        { token: 'Millwright-Job', value: 'j1' },
      ],
    })
    expect(git('log', '-1', '--format=%B').trimEnd()).toBe(`${message}\n\nMillwright-Agent: a1\nMillwright-Job: j1`)
    expect(git('log', '-1', '--format=%(trailers:key=Millwright-Agent,valueonly)').trim()).toBe('a1')
    expect(git('log', '-1', '--format=%an <%ae> %cn').trim()).toBe('Millwright <millwright@localhost> Millwright')
    expect(existsSync(marker)).toBe(false)
  })

  it("commits as the repository's own user where its configuration names one", async () => {
    git('config', 'user.name', 'Ada')
    git('config', 'user.email', 'ada@example.org')
    put('src/a.ts', 'two\n')
    await (await openHere()).commit(commitRequest('m', 'src/a.ts'))
    expect(git('log', '-1', '--format=%an <%ae>').trim()).toBe('Ada <ada@example.org>')
  })

  it.each([
    ['an empty message', 'invalid_input', { message: ' \n' }],
    ['control characters', 'invalid_input', { message: 'a\0b\u001b[2J' }],
    ['a message of 2 MB', 'invalid_input', { message: 'm'.repeat(2_000_000) }],
    ['a trailer that is two lines', 'invalid_input', { trailers: [{ token: 'Agent', value: 'a\nSigned-off-by: x' }] }],
    ['no path', 'invalid_input', { paths: [] }],
    ['a pattern', 'not_found', { paths: ['*'] }],
    ['a magic pathspec', 'not_found', { paths: [':(top)src'] }],
    ['a path that looks like an option', 'not_found', { paths: ['--all'] }],
    ['a folder', 'invalid_input', { paths: ['src'] }],
    ['a path that does not exist', 'not_found', { paths: ['none.ts'] }],
    ['a path with nothing to commit', 'conflict', { paths: ['src/b.ts'] }],
    ['an ignored path', 'invalid_input', { paths: ['ignored.log'] }],
    ['a secret', 'protected_path', { paths: ['.env'] }],
    ['the folder of git', 'protected_path', { paths: ['.git/config'] }],
    ['a file of a nested repository', 'outside_repository', { paths: ['nested/x'] }],
    ['a file behind a link', 'outside_repository', { paths: ['linkdir/secret.txt'] }],
    ['a link', 'invalid_input', { paths: ['link.txt'] }],
    ['a hard link', 'outside_repository', { paths: ['hard.txt'] }],
    ['a pipe', 'invalid_input', { paths: ['pipe'] }],
  ] as const)('refuses %s and changes nothing', async (_what, code, part) => {
    put('src/a.ts', 'two\n')
    put('.gitignore', '*.log\n')
    put('ignored.log', 'x')
    put('.env', CANARY)
    mkdirSync(join(root, 'nested'))
    gitIn(join(root, 'nested'), 'init', '-q')
    put('nested/x', 'x')
    symlinkSync(out, join(root, 'linkdir'))
    symlinkSync(join(out, 'secret.txt'), join(root, 'link.txt'))
    linkSync(join(out, 'secret.txt'), join(root, 'hard.txt'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    const before = state()
    const repository = await openHere()
    const request = { ...commitRequest('m', 'src/a.ts'), ...part } as CommitRequest
    expect(await codeOf(repository.commit(request))).toBe(code)
    expect(state()).toEqual(before)
  })

  it.each([
    ['a detached HEAD', () => git('checkout', '-q', '--detach')],
    ['a merge', () => writeFileSync(join(root, '.git/MERGE_HEAD'), `${git('rev-parse', 'HEAD')}`)],
    ['a rebase', () => mkdirSync(join(root, '.git/rebase-merge'))],
    ['a cherry-pick', () => writeFileSync(join(root, '.git/CHERRY_PICK_HEAD'), `${git('rev-parse', 'HEAD')}`)],
    ['a bisect', () => writeFileSync(join(root, '.git/BISECT_LOG'), '')],
    [
      'unresolved conflicts',
      () => {
        const id = git('rev-parse', 'HEAD:src/a.ts').trim()
        execFileSync('git', ['update-index', '--index-info'], {
          cwd: root,
          input: `0 ${'0'.repeat(40)}\tsrc/a.ts\n100644 ${id} 1\tsrc/a.ts\n100644 ${id} 2\tsrc/a.ts\n`,
        })
      },
    ],
  ] as [string, () => unknown][])('refuses during %s', async (_what, prepare) => {
    const repository = await openHere()
    prepare()
    put('src/a.ts', 'two\n')
    const before = [git('rev-parse', 'HEAD'), git('ls-files', '-s')]
    expect(await codeOf(repository.commit(commitRequest('m', 'src/a.ts')))).toBe('conflict')
    expect([git('rev-parse', 'HEAD'), git('ls-files', '-s')]).toEqual(before)
  })

  it('waits for a lock that another process holds, and never removes it', async () => {
    put('src/a.ts', 'two\n')
    const lock = join(root, '.git/index.lock')
    writeFileSync(lock, 'foreign')
    const before = git('rev-parse', 'HEAD')
    expect(await codeOf((await openHere()).commit(commitRequest('m', 'src/a.ts')))).toBe('repository_busy')
    expect(readFileSync(lock, 'utf8')).toBe('foreign')
    expect(git('rev-parse', 'HEAD')).toBe(before)
    const branchLock = join(root, '.git/refs/heads/main.lock')
    renameSync(lock, branchLock)
    expect(await codeOf((await openHere()).commit(commitRequest('m', 'src/a.ts')))).toBe('repository_busy')
    expect(existsSync(lock)).toBe(false)
    renameSync(branchLock, lock)
    const waiting = (await openHere({ lockDeadlineMs: 20_000 })).commit(commitRequest('m', 'src/a.ts'))
    unlinkSync(lock)
    expect((await waiting).files).toEqual(['src/a.ts'])
  })

  it('makes 12 commits that are asked for at once, over two handles, and loses none', async () => {
    const repositories = [await openHere({ lockDeadlineMs: 20_000 }), await openHere({ lockDeadlineMs: 20_000 })]
    const names = Array.from({ length: 12 }, (_, index) => `f${index}.ts`)
    for (const name of names) put(name, 'x\n')
    await Promise.all(names.map((name, index) => repositories[index % 2]?.commit(commitRequest(name, name))))
    expect(git('rev-list', '--count', 'HEAD').trim()).toBe('13')
    expect(git('status', '--porcelain')).toBe('')
    expect(git('fsck', '--strict', '--no-dangling')).toBe('')
  })
})

describe('log', () => {
  it('lists commits page by page, with text made safe to show', async () => {
    firstCommit()
    git('commit', '-q', '--allow-empty', '-m', 'sub\u001b[2Jject\n\nbody \u202e line\nnext')
    put('src/b.ts', 'two\n')
    git('commit', '-q', '-am', 'third')
    const repository = await openHere()
    const first = await repository.log({ ...firstPage, limit: 2 })
    expect(first.commits.map((commit) => commit.subject)).toEqual(['third', 'sub\\u{1b}[2Jject'])
    expect(first.commits[1]?.body).toBe('body \\u{202e} line\nnext')
    expect(first.commits[0]).toMatchObject({
      commit: git('rev-parse', 'HEAD').trim(),
      author: 'User <user@example.org>',
    })
    const second = await repository.log({ ...firstPage, limit: 2, cursor: first.next_cursor })
    expect(second.commits.map((commit) => commit.subject)).toEqual(['first'])
    expect(second.next_cursor).toBeNull()
    const ofPath = await repository.log({ ...firstPage, path: parseRepositoryPath('src/b.ts') })
    expect(ofPath.commits.map((commit) => commit.subject)).toEqual(['third', 'first'])
  })

  it('refuses limits and cursors that are not its own', async () => {
    firstCommit()
    const repository = await openHere()
    for (const limit of [-1, 0, 1.5, 201, Number.NaN]) {
      expect(await codeOf(repository.log({ ...firstPage, limit }))).toBe('invalid_input')
    }
    for (const cursor of [
      'x',
      '--output=x',
      'HEAD',
      `${'0'.repeat(40)}-0`,
      `${git('rev-parse', 'HEAD').trim()}-99999999`,
    ]) {
      expect(await codeOf(repository.log({ ...firstPage, cursor }))).toBe('invalid_input')
    }
  })
})

describe('blobs', () => {
  it('come back byte for byte, whatever the attributes say', async () => {
    put('.gitattributes', '* text eol=crlf filter=evil\n')
    git('config', 'filter.evil.clean', `touch ${marker}; cat`)
    const repository = await openHere()
    for (const bytes of [Buffer.from('a\r\nb\0\xff', 'latin1'), Buffer.alloc(0), Buffer.alloc(2_000_000, 7)]) {
      const id = await repository.storeBlob(bytes)
      expect(Buffer.from(await repository.readBlob(id)).equals(bytes)).toBe(true)
    }
    expect(existsSync(marker)).toBe(false)
  })

  it('are named by the id of a blob and nothing else', async () => {
    firstCommit()
    const repository = await openHere()
    for (const id of ['HEAD:src/a.ts', '--batch', 'abc', `${'0'.repeat(40)} x`]) {
      expect(await codeOf(repository.readBlob(id))).toBe('invalid_input')
    }
    expect(await codeOf(repository.readBlob('0'.repeat(40)))).toBe('not_found')
    expect(await codeOf(repository.readBlob(git('rev-parse', 'HEAD').trim()))).toBe('not_found')
  })
})

describe('ignored', () => {
  it('names the paths that git ignores, literally', async () => {
    put('.gitignore', '*.log\nbuild/\n')
    const paths = ['a.log', 'build/x', 'src/a.ts', '--all', '[a].ts'].map(parse)
    expect([...(await (await openHere()).ignored(paths))]).toEqual(['a.log', 'build/x'])
  })
})

describe('a hostile repository', () => {
  beforeEach(firstCommit)

  const program = (): string => {
    const path = join(base, 'program.sh')
    writeFileSync(path, `#!/bin/sh\ntouch ${marker}\ncat\n`, { mode: 0o755 })
    return path
  }
  const setUps: [string, () => void][] = [
    [
      'hooks',
      () => {
        for (const name of [
          'pre-commit',
          'prepare-commit-msg',
          'commit-msg',
          'post-commit',
          'post-index-change',
          'reference-transaction',
          'pre-auto-gc',
          'post-checkout',
          'fsmonitor-watchman',
        ]) {
          writeFileSync(join(root, '.git/hooks', name), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 })
        }
      },
    ],
    [
      'a hooks path in the work tree',
      () => {
        git('config', 'core.hooksPath', '.husky')
        for (const name of ['pre-commit', 'post-index-change', 'reference-transaction']) {
          put(`.husky/${name}`, `#!/bin/sh\ntouch ${marker}\n`)
          chmodSync(join(root, '.husky', name), 0o755)
        }
      },
    ],
    ['fsmonitor', () => git('config', 'core.fsmonitor', `touch ${marker};false`)],
    ['a pager', () => git('config', 'core.pager', `touch ${marker}`)],
    [
      'pagers by command',
      () => ['log', 'diff', 'status'].forEach((name) => void git('config', `pager.${name}`, program())),
    ],
    ['an editor', () => git('config', 'core.editor', `touch ${marker};`)],
    ['an external diff', () => git('config', 'diff.external', `touch ${marker};`)],
    [
      'a diff driver',
      () => {
        git('config', 'diff.evil.textconv', `touch ${marker}; cat`)
        git('config', 'diff.evil.command', `touch ${marker};`)
        put('.gitattributes', '* diff=evil\n')
      },
    ],
    [
      'signing and signature checks',
      () => {
        git('config', 'gpg.program', program())
        git('config', 'gpg.ssh.program', program())
        git('config', 'commit.gpgSign', 'true')
        git('config', 'log.showSignature', 'true')
        const signed = `${git('cat-file', 'commit', 'HEAD').replace('\n\n', '\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n')}`
        const id = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { cwd: root, input: signed })
        git('update-ref', 'refs/heads/main', id.toString().trim())
      },
    ],
    [
      'hooks named in the configuration',
      () => {
        git('config', 'hook.x.event', 'pre-commit')
        git('config', 'hook.x.command', `touch ${marker}`)
        git('config', 'hook.a=b "c.event', 'reference-transaction')
        git('config', 'hook.a=b "c.command', `touch ${marker}`)
      },
    ],
    [
      'an included file',
      () => {
        writeFileSync(join(base, 'included'), `[core]\n\tfsmonitor = touch ${marker};false\n\thooksPath = ${base}\n`)
        git('config', 'include.path', join(base, 'included'))
      },
    ],
    [
      'a submodule with fsmonitor',
      () => {
        mkdirSync(join(root, 'sub'))
        gitIn(join(root, 'sub'), 'init', '-q')
        gitIn(join(root, 'sub'), 'commit', '-q', '--allow-empty', '-m', 'sub')
        git('add', 'sub')
        git('commit', '-q', '-m', 'with a submodule')
        gitIn(join(root, 'sub'), 'config', 'core.fsmonitor', `touch ${marker};false`)
        git('config', 'diff.submodule', 'diff')
        git('config', 'status.submoduleSummary', 'true')
      },
    ],
    [
      'a partial clone that would fetch',
      () => {
        const tree = git('rev-parse', 'HEAD:src').trim()
        git('config', 'extensions.partialClone', 'evil')
        git('config', 'core.repositoryFormatVersion', '1')
        git('config', 'remote.evil.promisor', 'true')
        git('config', 'remote.evil.url', `ext::sh -c touch% ${marker}`)
        git('config', 'remote.evil.uploadpack', `touch ${marker};`)
        git('config', 'protocol.ext.allow', 'always')
        git('config', 'protocol.file.allow', 'always')
        const blob = git('rev-parse', `${tree}:b.ts`).trim()
        rmSync(join(root, '.git/objects', blob.slice(0, 2), blob.slice(2)))
      },
    ],
    [
      'commands for trailers, attributes, ssh, credentials and aliases',
      () => {
        git('config', 'trailer.x.command', `touch ${marker}`)
        git('config', 'trailer.x.cmd', `touch ${marker}`)
        git('config', 'core.sshCommand', `touch ${marker}`)
        git('config', 'core.askPass', program())
        git('config', 'credential.helper', `!touch ${marker}`)
        git('config', 'core.alternateRefsCommand', `touch ${marker}`)
        for (const name of ['status', 'diff', 'log', 'config', 'rev-parse'])
          git('config', `alias.${name}`, `!touch ${marker}`)
      },
    ],
    [
      'a branch called like an option',
      () => writeFileSync(join(root, '.git/refs/heads/--output=x'), git('rev-parse', 'HEAD')),
    ],
    [
      'maintenance',
      () => {
        git('config', 'gc.auto', '1')
        git('config', 'gc.autoDetach', 'false')
        git('config', 'maintenance.auto', 'true')
      },
    ],
    ['an order file that is missing', () => git('config', 'diff.orderFile', join(base, 'none'))],
  ] as [string, () => void][]

  it.each(setUps)('with %s runs none of its programs', async (_what, prepare) => {
    prepare()
    rmSync(marker, { force: true })
    const repository = await openHere()
    put('src/a.ts', 'two\n')
    put('new.ts', 'new\n')
    // A partial clone lacks an object, which may make an operation fail; it must not fetch it.
    await Promise.allSettled([
      repository.diff({ ...everything, path: parse('src/b.ts') }),
      repository.diff({ ...everything, staged: true, revision: 'main' }),
      repository.diff({ ...everything, revision: 'main^!' }),
    ])
    await repository.status()
    await repository.diff({ ...everything, path: parse('src/a.ts') })
    await repository.log(firstPage)
    await repository.ignored([parse('src/a.ts')])
    await repository.storeBlob(Buffer.from('x'))
    const { commit } = await repository.commit(commitRequest('m', 'src/a.ts', 'new.ts'))
    expect(git('rev-parse', 'refs/heads/main').trim()).toBe(commit)
    expect(existsSync(marker)).toBe(false)
    expect(existsSync(join(root, 'x'))).toBe(false)
  })

  it('with filter programs is refused, runs none, and says what to do', async () => {
    git('config', 'filter.evil.clean', `touch ${marker}; cat`)
    put('.gitattributes', '* filter=evil\n')
    put('src/a.ts', 'two\n')
    const repository = await openHere()
    expect(await codeOf(repository.status())).toBe('unavailable')
    expect(await codeOf(repository.diff(everything))).toBe('unavailable')
    expect(await codeOf(repository.commit(commitRequest('m', 'src/a.ts')))).toBe('unavailable')
    await expect(repository.status()).rejects.toMatchObject({ hint: expect.stringContaining('allow') })
    expect((await repository.log(firstPage)).commits).toHaveLength(1)
    expect((await repository.notices()).join('\n')).toContain('"evil"')
    expect(existsSync(marker)).toBe(false)
    const allowed = await openHere({ allowFilters: ['evil'] })
    await allowed.commit(commitRequest('m', 'src/a.ts'))
    expect(existsSync(marker)).toBe(true)
  })

  it('with a filter that nobody configured does not commit the raw bytes', async () => {
    put('.gitattributes', '*.bin filter=lfs\n')
    put('x.bin', 'raw')
    expect(await codeOf((await openHere()).commit(commitRequest('m', 'x.bin')))).toBe('unavailable')
  })

  it('finds a filter that is configured after it was opened', async () => {
    const repository = await openHere()
    git('config', 'filter.late.process', `touch ${marker}`)
    put('.git/info/attributes', '* filter=late\n')
    put('src/a.ts', 'two\n')
    expect(await codeOf(repository.diff(everything))).toBe('unavailable')
    expect(existsSync(marker)).toBe(false)
  })

  // Finds the process that was left, which needs /proc.
  it.runIf(existsSync('/proc/self/cwd'))(
    'that makes git wait for ever is given up, and the process ended',
    async () => {
      const repository = await openHere({ timeoutMs: 500 })
      execFileSync('mkfifo', [join(base, 'fifo')])
      git('config', 'include.path', join(base, 'fifo'))
      expect(await codeOf(repository.status())).toBe('timeout')
      await expect.poll(() => processesIn(root), { timeout: 10_000 }).toEqual([])
    },
  )

  it('says what was switched off', async () => {
    git('config', 'core.fsmonitor', 'x')
    git('config', 'commit.gpgSign', 'true')
    writeFileSync(join(root, '.git/hooks/pre-commit'), '', { mode: 0o755 })
    const notices = (await (await openHere()).notices()).join('\n')
    expect(notices).toContain('core.fsmonitor')
    expect(notices).toContain('hooks')
    expect(notices).toContain('not signed')
  })
})

describe('a repository that is exchanged', () => {
  beforeEach(firstCommit)

  const other = (): string => {
    const folder = join(out, 'otherrepo')
    mkdirSync(folder)
    gitIn(folder, 'init', '-q', '-b', 'main')
    writeFileSync(join(folder, 'canary.txt'), CANARY)
    gitIn(folder, 'add', '.')
    gitIn(folder, 'commit', '-q', '-m', CANARY)
    return folder
  }

  it.each([
    [
      'by a file that points elsewhere',
      (folder: string) => {
        renameSync(join(root, '.git'), join(base, 'aside'))
        writeFileSync(join(root, '.git'), `gitdir: ${folder}/.git\n`)
      },
    ],
    [
      'by a link',
      (folder: string) => {
        renameSync(join(root, '.git'), join(base, 'aside'))
        symlinkSync(join(folder, '.git'), join(root, '.git'))
      },
    ],
    [
      'by another folder',
      (folder: string) => {
        renameSync(join(root, '.git'), join(base, 'aside'))
        renameSync(join(folder, '.git'), join(root, '.git'))
      },
    ],
    ['by a common folder', (folder: string) => writeFileSync(join(root, '.git/commondir'), `${folder}/.git\n`)],
    [
      'in its objects',
      (folder: string) => {
        renameSync(join(root, '.git/objects'), join(base, 'aside'))
        symlinkSync(join(folder, '.git/objects'), join(root, '.git/objects'))
      },
    ],
    [
      'by alternate objects',
      (folder: string) => writeFileSync(join(root, '.git/objects/info/alternates'), `${folder}/.git/objects\n`),
    ],
    ['by nothing', () => renameSync(join(root, '.git'), join(base, 'aside'))],
  ])('%s is refused by every operation, and nothing is read or written', async (_how, exchange) => {
    const repository = await openHere()
    const folder = other()
    const before = gitIn(folder, 'rev-parse', 'HEAD')
    exchange(folder)
    put('src/a.ts', 'two\n')
    for (const operation of [
      repository.status(),
      repository.diff(everything),
      repository.commit(commitRequest('m', 'src/a.ts')),
      repository.log(firstPage),
      repository.storeBlob(Buffer.from('x')),
      repository.readBlob('0'.repeat(40)),
      repository.ignored([parse('src/a.ts')]),
    ]) {
      expect(await codeOf(operation)).toBe('unavailable')
    }
    if (existsSync(join(folder, '.git'))) expect(gitIn(folder, 'rev-parse', 'HEAD')).toBe(before)
  })

  it('does not follow a work tree that is configured later', async () => {
    const repository = await openHere()
    git('config', 'core.worktree', out)
    const answer = await Promise.allSettled([repository.status(), repository.diff(everything)])
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(JSON.stringify(answer)).not.toContain(CANARY)
  })
})

describe('the environment of the worker', () => {
  it('has no say in what git does', async () => {
    firstCommit()
    appendFileSync(join(root, 'src/a.ts'), 'two\n')
    const foreign = {
      GIT_DIR: out,
      GIT_EXTERNAL_DIFF: `touch ${marker};`,
      GIT_PAGER: `touch ${marker}`,
      GIT_TRACE: marker,
    }
    Object.assign(process.env, foreign)
    try {
      const repository = await openHere()
      expect((await repository.diff(everything)).insertions).toBe(1)
      expect((await repository.status()).files).toHaveLength(1)
    } finally {
      for (const name of Object.keys(foreign)) delete process.env[name]
    }
    expect(existsSync(marker)).toBe(false)
  })
})

/** Ids of processes that work in a folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((id) => {
    try {
      return /^\d+$/u.test(id) && readlinkSync(`/proc/${id}/cwd`) === folder
    } catch {
      return false
    }
  })
}

function parse(text: string): ReturnType<typeof parseRepositoryPath> {
  // Branded by hand: the point is what git makes of names that no caller could write.
  return text as ReturnType<typeof parseRepositoryPath>
}
