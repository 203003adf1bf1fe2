import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The tools of family git on the whole stack, beside a person who is at work in the same repository.

const SAMPLE = {
  'README.md': '# Sample\n',
  'staged.txt': 'staged\n',
  'dirty.txt': 'dirty\n',
  'src/a.py': 'a = 1\n',
  'src/b.py': 'b = 1\n',
}

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: SAMPLE })
  for (const [agent_id, managed_file] of [
    ['alpha', 'src/a.py'],
    ['beta', 'src/b.py'],
  ]) {
    await ok('create_agent', { agent_id, name: 'Agent', managed_file, system_prompt: '' })
  }
})
afterAll(() => world?.stop())

// A person is at work before each: one file staged, one changed, one staged and changed again, one new.
let base: string
beforeEach(async () => {
  const { repository } = world
  await repository.git('switch', '--quiet', 'main').catch(() => undefined)
  await repository.git('reset', '--quiet', '--hard', 'HEAD')
  await repository.git('clean', '--quiet', '-fd')
  base = await head()
  repository.write('staged.txt', `staged anew ${base}\n`)
  repository.write('both.txt', `staged part ${base}\n`)
  await repository.git('add', 'staged.txt', 'both.txt')
  repository.write('both.txt', 'and changed since\n')
  repository.write('dirty.txt', `dirty anew ${base}\n`)
  repository.write('untracked.txt', 'untracked\n')
})

const call = (name: string, args: Fields): Promise<ToolAnswer> => world.client.call(name, args)
const ok = (name: string, args: Fields): Promise<Fields> => world.client.ok(name, args)
const codeOf = (answer: ToolAnswer): string | undefined => (answer.success ? 'success' : answer.error?.code)
const head = async (): Promise<string> => (await world.repository.git('rev-parse', 'HEAD')).trim()
const filesOf = async (commit: unknown): Promise<string[]> =>
  (await world.repository.git('show', '--name-only', '--format=', String(commit))).trim().split('\n')

/** What a person's index and work tree hold: a commit through the server must leave all of it as it is. */
async function personsWork() {
  const { repository } = world
  return {
    staged: await repository.git('diff', '--cached', '--', 'staged.txt', 'both.txt'),
    unstaged: await repository.git('diff', '--', 'both.txt', 'dirty.txt'),
    untracked: await repository.git('status', '--porcelain', '--', 'untracked.txt'),
  }
}

/** A new version of each agent's file and of a free one, through the server. */
async function writeThroughServer(): Promise<void> {
  await ok('agent_update_file', { agent_id: 'alpha', content: `a = "${base}"\n` })
  await ok('agent_update_file', { agent_id: 'beta', content: `b = "${base}"\n` })
  await ok('write_file', { path: 'docs/free.md', content: `# Free ${base}\n` })
}

describe('git_status', () => {
  it("tells of the branch and of every changed file in git's own letters", async () => {
    await ok('write_file', { path: 'docs/free.md', content: '# Free\n' })
    const answer = await call('git_status', {})
    expect(answer.fields).toEqual({
      branch: 'main',
      head: base,
      ahead: 0,
      behind: 0,
      files: expect.arrayContaining([
        { path: 'both.txt', index: expect.stringMatching(/[AM]/), worktree: 'M' },
        { path: 'dirty.txt', index: ' ', worktree: 'M' },
        { path: 'docs/free.md', index: '?', worktree: '?' },
        { path: 'staged.txt', index: 'M', worktree: ' ' },
        { path: 'untracked.txt', index: '?', worktree: '?' },
      ]),
      truncated: false,
    })
    expect(answer.fields.files).toHaveLength(5)
    expect(answer.text.split('\n')).toEqual(expect.arrayContaining(['On main', ' M dirty.txt', '?? untracked.txt']))
  })
})

describe('git_diff', () => {
  it('shows all, one path, what is staged, and a revision', async () => {
    const all = await call('git_diff', {})
    expect(all.fields).toMatchObject({ files_changed: 4, diff_truncated: false })
    // A new file is a change like any other: what an agent has just made is to be reviewed.
    expect(all.fields.diff).toContain('+++ b/untracked.txt\n@@ -0,0 +1 @@\n+untracked\n')
    expect(all.text).toMatch(/^4 files changed, \d+ insertions, \d+ deletions\n```diff\n/)
    const one = await ok('git_diff', { path: 'dirty.txt' })
    expect(one).toMatchObject({ files_changed: 1, insertions: 1, deletions: 1 })
    expect(one.diff).toContain(`+dirty anew ${base}\n`)
    const staged = await ok('git_diff', { staged: true })
    expect(staged).toMatchObject({ files_changed: 2 })
    expect(staged.diff).toContain(`+staged part ${base}\n`)
    expect(staged.diff).not.toContain('and changed since')
    expect(await ok('git_diff', { path: 'README.md' })).toMatchObject({ diff: '', files_changed: 0 })
  })

  it('shows what changed since an older commit', async () => {
    await ok('agent_update_file', { agent_id: 'alpha', content: `a = "since ${base}"\n` })
    await ok('git_commit', { message: 'Since', agent_id: 'alpha' })
    expect(await ok('git_diff', { path: 'src/a.py' })).toMatchObject({ diff: '' })
    for (const revision of ['HEAD~1', base, base.slice(0, 10)]) {
      const since = await ok('git_diff', { path: 'src/a.py', revision })
      expect(since.diff, revision).toContain(`+a = "since ${base}"\n`)
    }
  })

  it('is cut where it is long, says so, and goes on with the cursor to exactly the whole', async () => {
    world.repository.write('long.txt', Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join(''))
    const pages: string[] = []
    let args: Fields = { path: 'long.txt' }
    for (;;) {
      const { fields, text } = await call('git_diff', args)
      expect(fields).toMatchObject({ files_changed: 1, insertions: 20_000, deletions: 0 })
      pages.push(String(fields.diff))
      expect(fields.diff_truncated).toBe(fields.next_cursor !== null)
      if (fields.next_cursor === null) break
      expect(text).toContain(`[cut: the rest with cursor ${fields.next_cursor}]`)
      args = { path: 'long.txt', cursor: fields.next_cursor }
    }
    expect(pages.length).toBeGreaterThan(2)
    await world.repository.git('add', '--intent-to-add', 'long.txt')
    expect(pages.join('')).toBe(await world.repository.git('diff', '--', 'long.txt'))
    world.repository.write('long.txt', 'short\n')
    expect((await call('git_diff', args)).error).toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('begin again'),
    })
    expect(codeOf(await call('git_diff', { cursor: '--output=pwned' }))).toBe('invalid_input')
  })

  it('refuses a revision that is none, an option or a range', async () => {
    for (const revision of ['--output=pwned', '-O', 'HEAD..main', 'nowhere', 'f'.repeat(40), 'HEAD:README.md']) {
      expect(codeOf(await call('git_diff', { revision })), revision).toMatch(/^(invalid_input|not_found)$/)
    }
    expect(world.repository.exists('pwned')).toBe(false)
  })
})

describe('git_commit', () => {
  it("takes without paths just what was written through the server, and leaves a person's work alone", async () => {
    const before = await personsWork()
    await writeThroughServer()
    const answer = await call('git_commit', { message: 'Written here\n\nWith a body.' })
    expect(answer.fields).toEqual({
      commit: await head(),
      branch: 'main',
      files: ['docs/free.md', 'src/a.py', 'src/b.py'],
    })
    expect(await filesOf(answer.fields.commit)).toEqual(['docs/free.md', 'src/a.py', 'src/b.py'])
    expect(answer.text).toMatch(/^Committed [0-9a-f]{12} on main: docs\/free\.md, src\/a\.py, src\/b\.py$/)
    expect(await personsWork()).toEqual(before)
    expect((await world.repository.git('rev-parse', 'HEAD~1')).trim()).toBe(base)
    execFileSync('git', ['-C', world.repository.root, 'fsck', '--strict', '--no-dangling'], { stdio: 'pipe' })
  })

  it('leaves what a person changed since to the person, without paths', async () => {
    await writeThroughServer()
    world.repository.write('src/b.py', 'b = "by a person"\n')
    const { files } = await ok('git_commit', { message: 'The rest' })
    expect(files).toEqual(['docs/free.md', 'src/a.py'])
    expect(world.repository.read('src/b.py')).toBe('b = "by a person"\n')
  })

  it('takes a file that was deleted through the server', async () => {
    await ok('write_file', { path: 'docs/gone.md', content: `# Gone ${base}\n` })
    await ok('git_commit', { message: 'Add' })
    await ok('delete_file', { path: 'docs/gone.md' })
    const { files, commit } = await ok('git_commit', { message: 'Remove' })
    expect(files).toEqual(['docs/gone.md'])
    expect(await world.repository.git('show', '--name-status', '--format=', String(commit))).toBe('D\tdocs/gone.md\n')
  })

  it('takes with agent_id the file of the agent, and says in the commit which agent it was', async () => {
    const before = await personsWork()
    await writeThroughServer()
    const { commit, files } = await ok('git_commit', { message: 'By alpha', agent_id: 'alpha' })
    expect(files).toEqual(['src/a.py'])
    expect(await filesOf(commit)).toEqual(['src/a.py'])
    const trailers = await world.repository.git('log', '-1', '--format=%(trailers)')
    expect(trailers.trim()).toBe('Millwright-Agent: alpha')
    expect(await personsWork()).toEqual(before)
    expect(await world.repository.git('status', '--porcelain', '--', 'src')).toBe(' M src/b.py\n')
  })

  it('refuses an agent other files than its own', async () => {
    await writeThroughServer()
    for (const paths of [['src/b.py'], ['src/a.py', 'src/b.py'], ['dirty.txt']]) {
      expect(codeOf(await call('git_commit', { message: 'm', paths, agent_id: 'alpha' })), String(paths)).toBe(
        'not_owner',
      )
    }
    expect(await head()).toBe(base)
  })

  it('takes named paths whole, a person’s among them, and nothing else', async () => {
    await writeThroughServer()
    const { files } = await ok('git_commit', { message: 'Named', paths: ['./dirty.txt', 'src//a.py', 'dirty.txt'] })
    expect(files).toEqual(['dirty.txt', 'src/a.py'])
    expect(await world.repository.git('diff', '--cached', '--name-only')).toBe('both.txt\nstaged.txt\n')
  })

  it.each([
    ['nothing was written', { message: 'm' }, 'invalid_input'],
    ['the named file did not change', { message: 'm', paths: ['README.md'] }, 'conflict'],
    ['the named file is not there', { message: 'm', paths: ['none.txt'] }, 'not_found'],
    ['the message is white space', { message: ' \n\t', paths: ['dirty.txt'] }, 'invalid_input'],
    ['a path leads out', { message: 'm', paths: ['../x'] }, 'outside_repository'],
    ['a path is in .git', { message: 'm', paths: ['.git/config'] }, 'protected_path'],
    ['there is no such agent', { message: 'm', agent_id: 'ghost' }, 'not_found'],
  ])('refuses where %s', async (_what, args, code) => {
    const before = await personsWork()
    expect(codeOf(await call('git_commit', args))).toBe(code)
    expect(await head()).toBe(base)
    expect(await personsWork()).toEqual(before)
  })

  it('keeps a message as it is, whatever it looks like', async () => {
    const message = '# not a comment\n\n-m "$(touch pwned)" `x` 漢字 🙂\n\nCo-authored-by: X <x@localhost>'
    const { commit } = await ok('git_commit', { message, paths: ['dirty.txt'] })
    expect((await world.repository.git('log', '-1', '--format=%B', String(commit))).trim()).toBe(message)
    expect(world.repository.exists('pwned')).toBe(false)
  })

  it('refuses on a detached HEAD, and says so in git_status', async () => {
    await writeThroughServer()
    await world.repository.git('checkout', '--quiet', '--detach')
    const before = await personsWork()
    const answer = await call('git_commit', { message: 'Lost' })
    expect(answer.error).toMatchObject({ code: 'conflict', message: expect.stringContaining('detached') })
    expect(answer.error?.hint).toBeTruthy()
    const status = await call('git_status', {})
    expect(status.fields).toMatchObject({ branch: null, head: base })
    expect(status.text).toMatch(/^On a detached HEAD\n/)
    expect(await head()).toBe(base)
    expect(await personsWork()).toEqual(before)
  })

  it('refuses while another git holds the index, and leaves its lock', async () => {
    await writeThroughServer()
    const before = await personsWork()
    const lock = join(world.repository.root, '.git/index.lock')
    writeFileSync(lock, 'of another git')
    try {
      const answer = await call('git_commit', { message: 'Meanwhile' })
      expect(answer.error).toMatchObject({ code: 'repository_busy', hint: expect.stringContaining('index.lock') })
      expect(readFileSync(lock, 'utf8')).toBe('of another git')
      expect(await head()).toBe(base)
      // Reading needs no lock.
      await ok('git_status', {})
      await ok('git_diff', {})
    } finally {
      rmSync(lock, { force: true })
    }
    expect(await personsWork()).toEqual(before)
    expect(await ok('git_commit', { message: 'Afterwards' })).toMatchObject({
      files: ['docs/free.md', 'src/a.py', 'src/b.py'],
    })
  })

  it('makes of two commits at once two commits, or refuses one', async () => {
    await writeThroughServer()
    const answers = await Promise.all([
      call('git_commit', { message: 'One', agent_id: 'alpha' }),
      call('git_commit', { message: 'Two', agent_id: 'beta' }),
    ])
    for (const answer of answers) expect(codeOf(answer)).toMatch(/^(success|repository_busy|conflict)$/)
    const made = answers.filter((answer) => answer.success).length
    expect(made).toBeGreaterThan(0)
    expect((await world.repository.git('rev-list', '--count', `${base}..HEAD`)).trim()).toBe(String(made))
    execFileSync('git', ['-C', world.repository.root, 'fsck', '--strict', '--no-dangling'], { stdio: 'pipe' })
  })
})

describe('git_log', () => {
  it('lists commits, newest first, with author, date, subject and body', async () => {
    await ok('git_commit', { message: `Dirty ${base}\n\nAnd why.`, paths: ['dirty.txt'] })
    const answer = await call('git_log', { limit: 2 })
    const { commits } = answer.fields as { commits: Fields[] }
    expect(commits).toHaveLength(2)
    expect(commits[0]).toEqual({
      commit: await head(),
      author: 'Tester <tester@localhost>',
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      subject: `Dirty ${base}`,
      body: 'And why.',
    })
    expect(commits[1]).toMatchObject({ commit: base })
    expect(answer.text).toContain(`Tester <tester@localhost>: Dirty ${base}`)
  })

  it('pages to the first commit, each once, and stays on the branch as it was at the first page', async () => {
    const all = (await world.repository.git('rev-list', 'HEAD')).trim().split('\n')
    const seen: unknown[] = []
    let cursor: unknown = null
    do {
      const page: Fields = await ok('git_log', { limit: 4, ...(cursor === null ? {} : { cursor }) })
      if (cursor === null) await ok('git_commit', { message: 'Meanwhile', paths: ['dirty.txt'] })
      seen.push(...(page.commits as Fields[]).map((commit) => commit.commit))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(all.length).toBeGreaterThan(4)
    expect(seen).toEqual(all)
  })

  it('lists the commits of one file', async () => {
    const { commits } = (await ok('git_log', { path: 'README.md' })) as { commits: Fields[] }
    expect(commits.map((commit) => commit.subject)).toEqual(['Begin'])
  })
})
