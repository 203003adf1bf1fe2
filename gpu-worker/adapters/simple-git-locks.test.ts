import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import type { CommitRequest } from '../ports/repository.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { openRepository } from './simple-git.ts'

// Locks of other processes: as files that somebody left, and held by a git that is at work.

let repository: TempRepository
const others: ChildProcess[] = []
beforeEach(async () => {
  repository = await createTempRepository({ 'a.ts': 'one\n', 'b.ts': 'one\n' })
  repository.write('a.ts', 'two\n')
})
afterEach(() => {
  for (const other of others.splice(0)) other.kill('SIGKILL')
  repository.remove()
})

const openHere = (lockDeadlineMs: number) => openRepository({ root: repository.root, lockDeadlineMs })
const request: CommitRequest = { message: 'm', paths: [parseRepositoryPath('a.ts')], trailers: [] }
const inGit = (name: string): string => join(repository.root, '.git', name)
const head = async (): Promise<string> => (await repository.git('rev-parse', 'HEAD')).trim()

/** A git of somebody else's that works until its standard input ends. */
function startGit(...args: string[]): ChildProcess {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const child = spawn('git', ['-C', repository.root, ...args], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  others.push(child)
  return child
}

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('close', resolve))

describe('a lock file that somebody left', () => {
  it.each(['index.lock', 'HEAD.lock', 'refs/heads/main.lock'])(
    '%s is waited for, refuses the commit and stays',
    async (name) => {
      writeFileSync(inGit(name), 'foreign')
      const [before, index] = [await head(), readFileSync(inGit('index'))]
      await expect((await openHere(300)).commit(request)).rejects.toMatchObject({ code: 'repository_busy' })
      expect(readFileSync(inGit(name), 'utf8')).toBe('foreign')
      expect(await head()).toBe(before)
      expect(readFileSync(inGit('index')).equals(index)).toBe(true)
      expect(existsSync(inGit('index.lock'))).toBe(name === 'index.lock')
      rmSync(inGit(name))
      expect(await (await openHere(300)).commit(request)).toMatchObject({ files: ['a.ts'] })
    },
  )

  it('is not waited for by what only reads', async () => {
    for (const name of ['index.lock', 'HEAD.lock', 'refs/heads/main.lock', 'config.lock', 'packed-refs.lock'])
      writeFileSync(inGit(name), 'foreign')
    const opened = await openHere(300)
    expect((await opened.status()).files).toHaveLength(1)
    expect(await opened.diff({ path: null, staged: false, revision: null, cursor: null })).toMatchObject({
      files_changed: 1,
    })
    expect((await opened.log({ limit: 1, path: null, cursor: null })).commits).toHaveLength(1)
  })

  it('cannot have git wait for ever, whatever the configuration says', async () => {
    await repository.git('config', 'core.filesRefLockTimeout', '-1')
    await repository.git('config', 'core.packedRefsTimeout', '-1')
    writeFileSync(inGit('refs/heads/main.lock'), 'foreign')
    await expect((await openHere(300)).commit(request)).rejects.toMatchObject({ code: 'repository_busy' })
  })
})

describe('another git at work', () => {
  it('that holds the index while a person writes a message is waited for, and then both commits are there', async () => {
    // The editor of that git is open until somebody closes it.
    const open = join(repository.folder, 'editor-open')
    writeFileSync(open, '')
    repository.write('b.ts', 'two\n')
    const editor = `sh -c 'while [ -e "${open}" ]; do sleep 0.05; done; echo theirs >"$0"'`
    const other = startGit('-c', `core.editor=${editor}`, 'commit', '-q', 'b.ts')
    await expect.poll(() => existsSync(inGit('index.lock'))).toBe(true)
    const before = await head()
    await expect((await openHere(300)).commit(request)).rejects.toMatchObject({ code: 'repository_busy' })
    expect(await head()).toBe(before)
    const [ours, theirs] = [(await openHere(20_000)).commit(request), ended(other)]
    rmSync(open)
    await theirs
    // Its branch moved under the commit that was being made: that is said, and asking again is enough.
    const made = await ours.catch(async (error: unknown) => {
      expect(error).toMatchObject({ code: 'conflict' })
      return (await openHere(300)).commit(request)
    })
    expect(made.files).toEqual(['a.ts'])
    expect((await repository.git('log', '--format=%s')).trim().split('\n').toSorted()).toEqual(['Begin', 'm', 'theirs'])
    expect(await repository.git('status', '--porcelain')).toBe('')
    expect(await repository.git('fsck', '--strict', '--no-dangling')).toBe('')
  })

  it('that holds the branch is waited for, and its lock is its own to give back', async () => {
    const other = startGit('update-ref', '--stdin')
    const at = await head()
    other.stdin?.write(`start\nupdate refs/heads/main ${at} ${at}\nprepare\n`)
    await expect.poll(() => existsSync(inGit('refs/heads/main.lock'))).toBe(true)
    await expect((await openHere(300)).commit(request)).rejects.toMatchObject({ code: 'repository_busy' })
    expect(existsSync(inGit('refs/heads/main.lock'))).toBe(true)
    const [ours, theirs] = [(await openHere(20_000)).commit(request), ended(other)]
    other.stdin?.end('abort\n')
    await theirs
    expect((await ours).files).toEqual(['a.ts'])
    expect(await repository.git('rev-parse', 'HEAD~1')).toBe(`${at}\n`)
  })
})
