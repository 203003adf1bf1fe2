import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FILE_BYTES_MAX, LINES_MAX_DEFAULT } from '#shared/protocol/limits.ts'
import type { Checks } from '#shared/schemas/check.ts'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The tools of family files on the whole stack: what a caller reads, writes and is refused, down to the byte.

const BOM = '\ufeff'
const BROKEN = 'def broken(:\n    pass\n'

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'README.md': '# Sample\n', '.gitignore': 'ignored/\n*.log\n' } })
})
afterAll(() => world?.stop())

const call = (name: string, args: Fields): Promise<ToolAnswer> => world.client.call(name, args)
const ok = (name: string, args: Fields): Promise<Fields> => world.client.ok(name, args)
const codeOf = (answer: ToolAnswer): string | undefined => (answer.success ? 'success' : answer.error?.code)
const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
const bytesOf = (path: string): Buffer => readFileSync(join(world.repository.root, path))

describe('read_file', () => {
  const lines = Array.from({ length: 25 }, (_, index) => `line ${index}`)
  const content = `${lines.join('\n')}\n`
  beforeAll(() => world.repository.write('read/lines.txt', content))

  it('reads a file whole, as text', async () => {
    const answer = await call('read_file', { path: 'read/lines.txt' })
    expect(answer.fields).toEqual({
      path: 'read/lines.txt',
      content,
      sha256: sha256(content),
      line_count: 25,
      next_offset: null,
    })
    expect(answer.text).toBe(content)
  })

  it('reads page by page, each line once', async () => {
    const pages: string[] = []
    let offset: unknown = 0
    while (offset !== null) {
      const page = await ok('read_file', { path: 'read/lines.txt', offset, limit: 10 })
      expect(page).toMatchObject({ sha256: sha256(content), line_count: 25 })
      pages.push(String(page.content))
      offset = page.next_offset
    }
    expect(pages).toHaveLength(3)
    expect(pages.join('')).toBe(content)
    const first = await call('read_file', { path: 'read/lines.txt', limit: 2 })
    expect(first.text).toBe('line 0\nline 1\n\n[more: offset 2]')
  })

  it('answers with nothing behind the end', async () => {
    const page = await ok('read_file', { path: 'read/lines.txt', offset: 25 })
    expect(page).toMatchObject({ content: '', next_offset: null, line_count: 25 })
    expect(await ok('read_file', { path: 'read/lines.txt', offset: 9_000_000 })).toMatchObject({ content: '' })
  })

  it('cuts a long file at a line, and says where to go on', async () => {
    const long = 'a line of some forty characters, or so it is\n'.repeat(20_000)
    world.repository.write('read/long.txt', long)
    let read = ''
    let offset: unknown = 0
    let pages = 0
    while (offset !== null) {
      const page = await ok('read_file', { path: 'read/long.txt', offset })
      read += String(page.content)
      offset = page.next_offset
      pages++
    }
    expect(pages).toBeGreaterThan(1)
    expect(read).toBe(long)
  })

  it.each([
    ['a NUL byte', Buffer.from('a\0b\n')],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x0a])],
    ['Latin-1', Buffer.from('caf\u00e9\n', 'latin1')],
    ['UTF-16', Buffer.from('\ufeffa\n', 'utf16le')],
  ])('refuses a file with %s, as do the other tools, and leaves it alone', async (_what, bytes) => {
    world.repository.write('read/binary.dat', bytes)
    const path = 'read/binary.dat'
    for (const [tool, args] of [
      ['read_file', { path }],
      ['update_file', { path, edits: [{ search: 'a', replace: 'b' }] }],
      ['write_file', { path, content: 'text\n' }],
      ['validate_file', { path }],
      ['create_agent', { agent_id: 'binary', name: 'B', managed_file: path, system_prompt: '' }],
    ] as const) {
      const answer = await call(tool, args)
      expect(codeOf(answer), tool).toBe('invalid_input')
      expect(answer.error?.message, tool).toContain('"read/binary.dat"')
    }
    expect(bytesOf(path)).toEqual(bytes)
  })

  it('refuses a file over the limit, naming both sizes', async () => {
    world.repository.write('read/huge.txt', 'x'.repeat(FILE_BYTES_MAX + 1))
    const answer = await call('read_file', { path: 'read/huge.txt' })
    expect(answer.error).toMatchObject({ code: 'too_large', message: expect.stringContaining(String(FILE_BYTES_MAX)) })
    world.repository.write('read/largest.txt', 'x'.repeat(FILE_BYTES_MAX))
    const largest = await ok('read_file', { path: 'read/largest.txt' })
    expect(largest).toMatchObject({ line_count: 0, next_offset: null })
    expect(String(largest.content)).toHaveLength(FILE_BYTES_MAX)
  })

  it('says what is not there, a folder, or outside', async () => {
    symlinkSync('/etc', join(world.repository.root, 'read/etc'))
    expect(codeOf(await call('read_file', { path: 'read/none.txt' }))).toBe('not_found')
    expect(codeOf(await call('read_file', { path: 'read' }))).toBe('invalid_input')
    expect(codeOf(await call('read_file', { path: '../x' }))).toBe('outside_repository')
    expect(codeOf(await call('read_file', { path: '/etc/passwd' }))).toBe('outside_repository')
    expect(codeOf(await call('read_file', { path: 'read/etc/passwd' }))).toBe('outside_repository')
  })
})

describe('write_file', () => {
  it.each([
    ['CRLF line ends', 'one\r\ntwo\r\n'],
    ['mixed line ends', 'one\r\ntwo\nthree\rfour\n'],
    ['a byte-order mark', `${BOM}text\n`],
    ['no final newline', 'text'],
    ['several final newlines', 'text\n\n\n'],
    ['nothing', ''],
    ['characters of all planes', 'é ñ 漢字 🙂 e\u0301 \u2028 \u200b\n'],
    ['control characters', 'tab\tform\ffeed \u001b[31m\u0007\n'],
  ])('keeps %s, byte for byte, and so do read_file and a second write', async (what, content) => {
    const path = `write/${what.replaceAll(' ', '-')}.txt`
    const written = await ok('write_file', { path, content })
    expect(written).toMatchObject({ path, changed: true, sha256: sha256(content) })
    expect(bytesOf(path)).toEqual(Buffer.from(content))
    const read = await call('read_file', { path })
    expect(read.fields).toMatchObject({ content, sha256: sha256(content) })
    expect(read.text).toBe(content)
    expect(await ok('write_file', { path, content: String(read.fields.content) })).toMatchObject({
      changed: false,
      diff: '',
      sha256: sha256(content),
    })
  })

  it('makes folders that are missing, and shows the change as git would', async () => {
    const written = await ok('write_file', { path: 'write/new/deep/a.txt', content: 'one\ntwo\n' })
    expect(written.diff).toBe('--- /dev/null\n+++ b/write/new/deep/a.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n')
    const again = await call('write_file', { path: 'write/new/deep/a.txt', content: 'one\nthree\n' })
    expect(again.fields.diff).toBe(
      '--- a/write/new/deep/a.txt\n+++ b/write/new/deep/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n',
    )
    expect(again.text).toContain(`\`\`\`diff\n${again.fields.diff}\`\`\``)
  })

  it('refuses more bytes than a file may have, however few characters', async () => {
    const answer = await call('write_file', { path: 'write/wide.txt', content: '漢'.repeat(FILE_BYTES_MAX / 2) })
    expect(answer.error).toMatchObject({ code: 'too_large', message: expect.stringContaining(String(FILE_BYTES_MAX)) })
    expect(world.repository.exists('write/wide.txt')).toBe(false)
  })

  it('refuses where the file is another version than expected, and keeps what somebody else wrote', async () => {
    world.repository.write('write/version.txt', 'first\n')
    const expected_sha256 = sha256('first\n')
    world.repository.write('write/version.txt', 'by a person\n')
    for (const [tool, args] of [
      ['write_file', { content: 'mine\n' }],
      ['update_file', { edits: [{ search: 'person', replace: 'machine' }] }],
      ['delete_file', {}],
    ] as const) {
      const answer = await call(tool, { path: 'write/version.txt', expected_sha256, ...args })
      expect(answer.error, tool).toMatchObject({ code: 'conflict', details: { sha256: sha256('by a person\n') } })
      expect(answer.error?.hint, tool).toBeTruthy()
    }
    expect(codeOf(await call('write_file', { path: 'write/none.txt', content: 'x\n', expected_sha256 }))).toBe(
      'conflict',
    )
    expect(world.repository.exists('write/none.txt')).toBe(false)
    expect(world.repository.read('write/version.txt')).toBe('by a person\n')
    const current = sha256('by a person\n')
    await ok('write_file', { path: 'write/version.txt', content: 'mine\n', expected_sha256: current })
    expect(world.repository.read('write/version.txt')).toBe('mine\n')
  })

  it.each([
    '.git/config',
    '.git/hooks/pre-commit',
    'sub/.GIT/x',
    '.env',
    'sub/.env.local',
    'key.pem',
    '.ssh/config',
    '.vscode/settings.json',
    '.github/workflows/ci.yml',
    '.gitattributes',
    'millwright.json',
  ])('refuses the protected path %s, as do the other tools that write', async (path) => {
    const before = hashTree(world.repository.root)
    for (const [tool, args] of [
      ['write_file', { path, content: 'x\n' }],
      ['update_file', { path, edits: [{ search: 'a', replace: 'b' }] }],
      ['delete_file', { path }],
      ['create_agent', { agent_id: 'protected', name: 'P', managed_file: path, system_prompt: '' }],
    ] as const) {
      expect(codeOf(await call(tool, args)), tool).toBe('protected_path')
    }
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('writes where a link within the repository leads, and never through one that leads out', async () => {
    mkdirSync(join(world.repository.folder, 'outside'))
    symlinkSync(join(world.repository.folder, 'outside'), join(world.repository.root, 'write/out'))
    world.repository.write('write/real.txt', 'real\n')
    symlinkSync('real.txt', join(world.repository.root, 'write/alias.txt'))
    expect(codeOf(await call('write_file', { path: 'write/out/x.txt', content: 'x\n' }))).toBe('outside_repository')
    expect(await ok('write_file', { path: 'write/alias.txt', content: 'changed\n' })).toMatchObject({
      path: 'write/real.txt',
    })
    expect(world.repository.read('write/real.txt')).toBe('changed\n')
  })
})

describe('the checks', () => {
  it('refuse what does not parse, with line, diff and all, and leave the file as it was', async () => {
    world.repository.write('checks/a.py', 'def fine():\n    pass\n')
    await ok('create_agent', { agent_id: 'checked', name: 'C', managed_file: 'checks/owned.py', system_prompt: '' })
    await ok('agent_update_file', { agent_id: 'checked', content: 'owned = 1\n' })
    const before = hashTree(world.repository.root)
    const edits = [{ search: 'def fine():', replace: 'def broken(:' }]
    for (const [tool, args] of [
      ['write_file', { path: 'checks/a.py', content: BROKEN }],
      ['update_file', { path: 'checks/a.py', edits }],
      ['update_file', { path: 'checks/a.py', edits, dry_run: true }],
      ['agent_update_file', { agent_id: 'checked', content: BROKEN }],
      ['write_file', { path: 'checks/owned.py', content: BROKEN, agent_id: 'checked' }],
      ['write_file', { path: 'checks/new/folder/b.py', content: BROKEN }],
    ] as const) {
      const answer = await call(tool, args)
      expect(codeOf(answer), tool).toBe('checks_failed')
      expect(answer.error?.details, tool).toMatchObject({
        checks: { passed: false, violations: [{ rule: 'syntax', severity: 'error', line: 1 }] },
        diff: expect.stringContaining('+def broken(:'),
      })
      expect(answer.text).toMatch(/^checks_failed: /)
      expect(answer.text).toContain('- error syntax (line 1): ')
      expect(answer.text).toContain('```diff\n')
    }
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('refuse code that is too long, take as much prose as there is, and say what was not checked', async () => {
    const lines = (count: number, line: string): string => `${line}\n`.repeat(count)
    const over = await call('write_file', { path: 'checks/long.py', content: lines(LINES_MAX_DEFAULT + 1, 'x = 1') })
    expect(over.error).toMatchObject({ code: 'checks_failed', message: expect.stringContaining('line_limit') })
    expect(
      await ok('write_file', { path: 'checks/long.py', content: lines(LINES_MAX_DEFAULT, 'x = 1') }),
    ).toMatchObject({
      checks: { passed: true, violations: [] },
    })
    expect(await ok('write_file', { path: 'checks/long.md', content: lines(1000, 'prose') })).toMatchObject({
      changed: true,
      checks: { passed: true },
    })
    const other = await ok('write_file', { path: 'checks/a.rb', content: 'def broken(\n' })
    expect((other.checks as Checks).skipped).toContainEqual({ rule: 'syntax', reason: expect.stringMatching(/\S/) })
  })
})

describe('update_file', () => {
  const path = 'update/a.txt'
  const content = 'one\ntwo\nthree\ntwo\n'
  const edit = async (edits: Fields[], more: Fields = {}): Promise<ToolAnswer> => {
    world.repository.write(path, content)
    return call('update_file', { path, edits, ...more })
  }

  it('replaces what occurs once, several in turn', async () => {
    const answer = await edit([
      { search: 'one', replace: 'ONE' },
      { search: 'ONE\ntwo', replace: '1\n2' },
      { search: 'three\n', replace: '' },
    ])
    expect(world.repository.read(path)).toBe('1\n2\ntwo\n')
    expect(answer.fields).toMatchObject({ path, changed: true, sha256: sha256('1\n2\ntwo\n') })
    expect(answer.text).toContain('-three\n')
  })

  it('replaces every place with all', async () => {
    await edit([{ search: 'two', replace: '$& $1', all: true }])
    expect(world.repository.read(path)).toBe('one\n$& $1\nthree\n$& $1\n')
  })

  it.each([
    ['not there', [{ search: 'four', replace: '4' }], 'edit 1 of 1 occurs 0 times, expected 1'],
    ['not unique', [{ search: 'two', replace: '2' }], 'edit 1 of 1 occurs 2 times, expected 1'],
    ['not there, with all', [{ search: 'four', replace: '4', all: true }], 'occurs 0 times, expected at least 1'],
    [
      'not there after an edit that was',
      [
        { search: 'one', replace: '1' },
        { search: 'one', replace: '2' },
      ],
      'edit 2 of 2 occurs 0 times',
    ],
  ])('refuses a search that is %s, and applies none', async (_what, edits, message) => {
    const answer = await edit(edits)
    expect(answer.error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(message) })
    expect(answer.error?.hint).toBeTruthy()
    expect(world.repository.read(path)).toBe(content)
  })

  it('shows with dry_run what would be, and writes nothing', async () => {
    const answer = await edit([{ search: 'one', replace: 'ONE' }], { dry_run: true })
    expect(answer.fields).toMatchObject({
      changed: true,
      diff: expect.stringContaining('-one\n+ONE\n'),
      sha256: sha256('ONE\ntwo\nthree\ntwo\n'),
    })
    expect(world.repository.read(path)).toBe(content)
  })

  it('keeps CRLF, a byte-order mark and a missing final newline', async () => {
    world.repository.write(path, `${BOM}one\r\ntwo\r\nthree`)
    await ok('update_file', { path, edits: [{ search: 'one\ntwo\n', replace: '1\n2\n' }] })
    expect(bytesOf(path)).toEqual(Buffer.from(`${BOM}1\r\n2\r\nthree`))
  })

  it('edits no file that is not there', async () => {
    const edits = [{ search: 'a', replace: 'b' }]
    expect(codeOf(await call('update_file', { path: 'update/none.txt', edits }))).toBe('not_found')
  })
})

describe('delete_file', () => {
  it('deletes, and git gives the bytes back', async () => {
    const content = 'kept\r\nfor ever\n'
    world.repository.write('delete/a.txt', content)
    const answer = await call('delete_file', { path: 'delete/a.txt' })
    expect(answer.fields).toEqual({
      path: 'delete/a.txt',
      deleted: true,
      recoverable_as: expect.stringMatching(/^[0-9a-f]{40}$/),
    })
    const blob = String(answer.fields.recoverable_as)
    expect(answer.text).toBe(`Deleted delete/a.txt; its bytes: git cat-file blob ${blob}`)
    expect(world.repository.exists('delete/a.txt')).toBe(false)
    expect(await world.repository.git('cat-file', 'blob', blob)).toBe(content)
    expect(codeOf(await call('delete_file', { path: 'delete/a.txt' }))).toBe('not_found')
  })

  it('keeps the bytes of before in git for a write and an edit too', async () => {
    const content = 'precious and never committed\n'
    world.repository.write('delete/b.txt', content)
    await ok('write_file', { path: 'delete/b.txt', content: 'overwritten\n' })
    const blob = createHash('sha1').update(`blob ${content.length}\0${content}`).digest('hex')
    expect(await world.repository.git('cat-file', 'blob', blob)).toBe(content)
  })

  it('deletes no folder', async () => {
    expect(codeOf(await call('delete_file', { path: 'delete' }))).toBe('invalid_input')
    expect(world.repository.exists('delete')).toBe(true)
  })
})

interface Entry {
  readonly path: string
  readonly kind: string
  readonly bytes: number | null
  readonly owner: string | null
}

describe('list_files', () => {
  beforeAll(async () => {
    const { repository, client } = world
    for (const path of ['a.py', 'b.py', 'c.txt', 'sub/d.py', 'sub/deep/e.py', 'sub/é.txt'])
      repository.write(`list/${path}`, 'x = 1\n')
    repository.write('list/ignored/secret.py', 'x = 1\n')
    repository.write('list/debug.log', 'x\n')
    symlinkSync('sub', join(repository.root, 'list/link'))
    symlinkSync('/etc', join(repository.root, 'list/out'))
    symlinkSync('.', join(repository.root, 'list/loop'))
    await client.ok('create_agent', { agent_id: 'lister', name: 'L', managed_file: 'list/b.py', system_prompt: '' })
  })

  const list = async (args: Fields) =>
    (await ok('list_files', args)) as unknown as { entries: Entry[]; next_cursor: string | null }
  const paths = async (args: Fields) => (await list(args)).entries.map((entry) => entry.path)

  it('lists everything below a folder with kind, size and owner, but for what git ignores', async () => {
    const { entries, next_cursor } = await list({ path: 'list' })
    const byPath = Object.fromEntries(entries.map(({ path, ...entry }) => [path, entry]))
    const file = { kind: 'file', bytes: 6, owner: null }
    const folder = { kind: 'folder', bytes: null, owner: null }
    const link = { kind: 'link', bytes: null, owner: null }
    expect(byPath).toEqual({
      'list/a.py': file,
      'list/b.py': { ...file, owner: 'lister' },
      'list/c.txt': file,
      'list/link': link,
      'list/loop': link,
      'list/out': link,
      'list/sub': folder,
      'list/sub/d.py': file,
      'list/sub/deep': folder,
      'list/sub/deep/e.py': file,
      'list/sub/é.txt': file,
    })
    expect(next_cursor).toBeNull()
    const { text } = await call('list_files', { path: 'list' })
    expect(text).toContain('list/b.py  owner lister\n')
    expect(text).toContain('list/sub/\n')
    expect(text).toContain('list/link (link)\n')
  })

  it('lists the repository from its top, without git itself', async () => {
    const all = await paths({})
    expect(all).toContain('README.md')
    expect(all.filter((path) => path === '.git' || path.startsWith('.git/'))).toEqual([])
  })

  it.each([
    ['*.py', ['list/a.py', 'list/b.py', 'list/sub/d.py', 'list/sub/deep/e.py']],
    ['list/*.py', ['list/a.py', 'list/b.py']],
    ['**/deep/**', ['list/sub/deep/e.py']],
    ['list/[ac].{py,txt}', ['list/a.py', 'list/c.txt']],
    ['list/?.txt', ['list/c.txt']],
    ['é.txt', ['list/sub/é.txt']],
    ['*.none', []],
  ])('picks with the glob %s', async (glob, expected) => {
    expect(await paths({ path: 'list', glob })).toEqual(expected)
  })

  it('pages: each entry once, in one order', async () => {
    const all = await paths({ path: 'list' })
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: { entries: Entry[]; next_cursor: string | null } = await list({
        path: 'list',
        limit: 3,
        ...(cursor === null ? {} : { cursor }),
      })
      expect(page.entries.length).toBeLessThanOrEqual(3)
      seen.push(...page.entries.map((entry) => entry.path))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(all)
  })

  it('goes on behind the last entry seen though files come and go', async () => {
    const first = await list({ path: 'list', limit: 2 })
    world.repository.write('list/0-new.py', 'x = 1\n')
    rmSync(join(world.repository.root, 'list/0-new.py'))
    rmSync(join(world.repository.root, 'list/b.py'))
    const rest = await list({ path: 'list', cursor: first.next_cursor ?? '' })
    world.repository.write('list/b.py', 'x = 1\n')
    expect(rest.entries[0]?.path).toBe('list/c.txt')
  })

  it('follows no link, shows an ignored folder that is asked for, and refuses what is no folder', async () => {
    expect(codeOf(await call('list_files', { path: 'list/out' }))).toBe('outside_repository')
    expect(await paths({ path: 'list/ignored' })).toEqual(['list/ignored/secret.py'])
    expect(codeOf(await call('list_files', { path: 'list/a.py' }))).toBe('invalid_input')
    expect((await call('list_files', { path: 'list/none' })).error).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('the folder above it'),
    })
    expect(codeOf(await call('list_files', { path: '../' }))).toBe('outside_repository')
    expect(codeOf(await call('list_files', { glob: '[' }))).toBe('invalid_input')
  })
})

interface Found {
  readonly matches: { path: string; line: number; text: string }[]
  readonly truncated: boolean
  readonly files_skipped: number
}

describe('search_files', () => {
  beforeAll(() => {
    const { repository } = world
    repository.write('search/a.txt', 'needle.one\nneedleXone\r\nnothing\n')
    repository.write('search/b.md', '# Needle\nneedle.one again\n')
    repository.write('search/ignored/c.txt', 'needle.one\n')
    repository.write('search/.env', 'needle.one=secret\n')
    repository.write('search/d.bin', Buffer.from('needle.one\0\n'))
    repository.write('search/evil.txt', `${'a'.repeat(50_000)}!\n`)
    repository.write('search/wide.txt', `wide ${'w'.repeat(5000)}\n`)
    symlinkSync('a.txt', join(repository.root, 'search/link.txt'))
  })
  const search = async (args: Fields) => (await ok('search_files', { glob: 'search/**', ...args })) as unknown as Found

  it('finds text as it is written, with path and line, but not in ignored, protected or binary files or by links', async () => {
    expect(await search({ pattern: 'needle.one' })).toEqual({
      matches: [
        { path: 'search/a.txt', line: 1, text: 'needle.one' },
        { path: 'search/b.md', line: 2, text: 'needle.one again' },
      ],
      truncated: false,
      files_skipped: expect.any(Number),
    })
    const { text } = await call('search_files', { pattern: 'needle.one', glob: 'search/**' })
    expect(text).toBe('search/a.txt:1: needle.one\nsearch/b.md:2: needle.one again')
    expect((await call('search_files', { pattern: 'nowhere to be found' })).text).toBe('No match')
  })

  it('counts what it could not search', async () => {
    expect((await search({ pattern: 'x', glob: '*.bin' })).files_skipped).toBe(1)
  })

  it('finds by expression, without the carriage return of a CRLF line', async () => {
    expect((await search({ pattern: '(?i)^#? ?needle.one', regex: true, glob: '*.txt' })).matches).toEqual([
      { path: 'search/a.txt', line: 1, text: 'needle.one' },
      { path: 'search/a.txt', line: 2, text: 'needleXone' },
    ])
  })

  it('stops at the limit and says so', async () => {
    expect(await search({ pattern: 'needle', limit: 1 })).toMatchObject({
      matches: [{ path: 'search/a.txt', line: 1 }],
      truncated: true,
    })
    expect(await search({ pattern: 'needle', limit: 3 })).toMatchObject({ truncated: false })
  })

  it('cuts long lines', async () => {
    const { matches } = await search({ pattern: 'wide ' })
    expect(matches).toHaveLength(1)
    expect(matches[0]?.text.length).toBeLessThan(1000)
  })

  it('is not stopped by expressions that would take others for ever', async () => {
    const begun = performance.now()
    for (const pattern of ['^(a+)+$', '(a|aa)+$', '(a*)*b$', '([a-z]+)*X']) {
      expect((await search({ pattern, regex: true, glob: 'search/evil.txt' })).matches).toEqual([])
    }
    // Backtracking would need longer than there is time; this leaves room for a busy machine.
    expect(performance.now() - begun).toBeLessThan(10_000)
    await ok('git_status', {})
  })

  it.each(['(', '(?=a)', '(a)\\1', '[', 'a{1,100000}'])(
    'refuses %s as an expression, and finds it as text',
    async (pattern) => {
      const answer = await call('search_files', { pattern, regex: true })
      expect(answer.error).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining('RE2') })
      expect((await call('search_files', { pattern, glob: 'search/**' })).success).toBe(true)
    },
  )
})

describe('validate_file', () => {
  it('judges a file where it lies', async () => {
    world.repository.write('validate/a.py', 'def f(a):\n    if a:\n        return 1\n    return 0\n')
    expect(await ok('validate_file', { path: 'validate/a.py' })).toEqual({
      path: 'validate/a.py',
      passed: true,
      ran: expect.arrayContaining(['syntax', 'line_limit', 'complexity']),
      skipped: [],
      violations: [],
      syntax_errors: [],
      line_count: 4,
      complexity: {
        cyclomatic: 2,
        cognitive: 1,
        functions: [expect.objectContaining({ name: 'f', line: 1, cyclomatic: 2, cognitive: 1 })],
      },
    })
  })

  it('judges content as if it stood at a path, there or not, and writes nothing', async () => {
    const before = hashTree(world.repository.root)
    for (const file_path of ['validate/a.py', 'validate/none/b.py']) {
      const answer = await call('validate_file', { content: `x = 1\n${BROKEN}`, file_path })
      expect(answer.fields).toMatchObject({ path: file_path, passed: false, line_count: 3 })
      expect(answer.fields.syntax_errors).toContainEqual({
        line: 2,
        column: expect.any(Number),
        message: expect.stringMatching(/\S/),
      })
      expect(answer.text).toContain(`${file_path}: failed, 3 lines`)
    }
    const long = await ok('validate_file', { content: 'x = 1\n'.repeat(350), file_path: 'validate/long.py' })
    expect(long).toMatchObject({
      passed: false,
      line_count: 350,
      syntax_errors: [],
      violations: [{ rule: 'line_limit' }],
    })
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('reads no file that may not be read', async () => {
    writeFileSync(join(world.repository.root, '.env'), 'SECRET=1\n')
    expect(codeOf(await call('validate_file', { path: '.env' }))).toBe('protected_path')
    expect(codeOf(await call('validate_file', { path: 'validate/none.py' }))).toBe('not_found')
    expect(codeOf(await call('validate_file', { content: 'x', file_path: '../a.py' }))).toBe('outside_repository')
  })
})
