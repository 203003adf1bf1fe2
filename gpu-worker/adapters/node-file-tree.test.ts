import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { FileEntry, FileTree } from '../ports/file-tree.ts'
import { createNodeFileTree, type NodeFileTreeOptions } from './node-file-tree.ts'

const CANARY = 'canary-4711'
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

let base: string
let root: string
let out: string

beforeEach(() => {
  base = mkdtempSync(join(realpathSync(tmpdir()), 'file-tree-'))
  root = join(base, 'root')
  out = join(base, 'out')
  mkdirSync(join(root, 'src'), { recursive: true })
  mkdirSync(join(root, '.git'))
  mkdirSync(out)
  writeFileSync(join(root, 'src/a.ts'), 'old\n')
  writeFileSync(join(root, '.git/config'), CANARY)
  writeFileSync(join(out, 'secret.txt'), CANARY)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const openTree = (options: Partial<NodeFileTreeOptions> = {}): Promise<FileTree> =>
  createNodeFileTree({ root, ...options })

async function writeText(tree: FileTree, path: string, text: string, expected: string | null): Promise<void> {
  await tree.write(await tree.resolve(path, 'write'), bytes(text), expected)
}

/** The code of what a promise rejects with; also fails when the message tells where the machine keeps things. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { accepted: await promise }
  } catch (error) {
    expect(String(error)).not.toContain(base)
    expect(String(error)).not.toContain(CANARY)
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

async function list(tree: FileTree, path = '', after: string | null = null, limit = 1000): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  for await (const entry of tree.walk(path, after)) {
    entries.push(entry)
    if (entries.length === limit) break
  }
  return entries
}

const pathsOf = (entries: FileEntry[]): string[] => entries.map((entry) => entry.path)
const openDescriptors = (): number => readdirSync('/proc/self/fd').length
const isLinux = existsSync('/proc/self/fd')

describe.each(isLinux ? [true, false] : [false])('files, reached through descriptors: %s', (throughDescriptors) => {
  const open = (options: Partial<NodeFileTreeOptions> = {}): Promise<FileTree> =>
    openTree({ throughDescriptors, ...options })

  it('reads the bytes as they are', async () => {
    writeFileSync(join(root, 'bom.txt'), '\ufeffa\r\nb\r\n')
    const file = await (await open()).read('./bom.txt', 100)
    expect(file).toEqual({
      path: 'bom.txt',
      bytes: Buffer.from('\ufeffa\r\nb\r\n'),
      sha256: sha256('\ufeffa\r\nb\r\n'),
    })
    writeFileSync(join(root, 'empty'), '')
    expect((await (await open()).read('empty', 0)).bytes.byteLength).toBe(0)
  })

  it('replaces and creates files, with folders, keeping the mode', async () => {
    const tree = await open()
    chmodSync(join(root, 'src/a.ts'), 0o640)
    await writeText(tree, 'src/a.ts', 'a\r\nb\r\n', sha256('old\n'))
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('a\r\nb\r\n')
    expect(statSync(join(root, 'src/a.ts')).mode & 0o7777).toBe(0o640)
    await writeText(tree, 'new/deep/er.ts', 'x', null)
    expect(readFileSync(join(root, 'new/deep/er.ts'), 'utf8')).toBe('x')
    expect(statSync(join(root, 'new/deep/er.ts')).mode & 0o111).toBe(0)
    expect(pathsOf(await list(tree))).toEqual(['new', 'new/deep', 'new/deep/er.ts', 'src', 'src/a.ts'])
  })

  it('refuses a file that is not as expected, and leaves it', async () => {
    const tree = await open()
    expect(await codeOf(writeText(tree, 'src/a.ts', 'new', sha256('other')))).toBe('conflict')
    expect(await codeOf(writeText(tree, 'src/a.ts', 'new', null))).toBe('conflict')
    expect(await codeOf(writeText(tree, 'src/none.ts', 'new', sha256('old\n')))).toBe('conflict')
    expect(await codeOf(writeText(tree, 'no/such/none.ts', 'new', sha256('old\n')))).toBe('conflict')
    expect(pathsOf(await list(tree))).toEqual(['src', 'src/a.ts'])
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('old\n')
    expect(readdirSync(join(root, 'src'))).toEqual(['a.ts'])
  })

  it('sees a change that comes between the temp file and the rename', async () => {
    const tree = await open({ beforeRename: async () => writeFileSync(join(root, 'src/a.ts'), 'by a person') })
    expect(await codeOf(writeText(tree, 'src/a.ts', 'new', sha256('old\n')))).toBe('conflict')
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('by a person')
    expect(readdirSync(join(root, 'src'))).toEqual(['a.ts'])
  })

  it('removes a file that is as expected, and no other', async () => {
    const tree = await open()
    const file = await tree.resolve('src/a.ts', 'write')
    expect(await codeOf(tree.remove(file, sha256('other')))).toBe('conflict')
    await tree.remove(file, sha256('old\n'))
    expect(existsSync(join(root, 'src/a.ts'))).toBe(false)
    expect(await codeOf(tree.remove(file, sha256('old\n')))).toBe('not_found')
    expect(existsSync(join(root, 'src'))).toBe(true)
  })

  it.each([
    ['../out/secret.txt', 'outside_repository'],
    ['src/../../out/secret.txt', 'outside_repository'],
    ['link.txt', 'outside_repository'],
    ['relative-link.txt', 'outside_repository'],
    ['linkdir/secret.txt', 'outside_repository'],
    ['chain', 'outside_repository'],
    ['loop', 'invalid_input'],
    ['hard.txt', 'outside_repository'],
    ['to-git', 'protected_path'],
    ['.git/config', 'protected_path'],
    ['.GIT/config', 'protected_path'],
    ['sub/.git', 'protected_path'],
    ['submodule/file.ts', 'outside_repository'],
    ['not-checked-out/file.ts', 'outside_repository'],
    ['bare.git/config', 'outside_repository'],
    ['pipe', 'invalid_input'],
    ['socket', 'invalid_input'],
    ['src', 'invalid_input'],
    ['src/a.ts/b', 'invalid_input'],
    ['to-device', 'outside_repository'],
  ])('refuses %s for reading, writing and owning', async (path, code) => {
    symlinkSync(join(out, 'secret.txt'), join(root, 'link.txt'))
    symlinkSync('../out/secret.txt', join(root, 'relative-link.txt'))
    symlinkSync(out, join(root, 'linkdir'))
    symlinkSync('link.txt', join(root, 'chain'))
    symlinkSync('loop', join(root, 'loop'))
    symlinkSync('.git/config', join(root, 'to-git'))
    symlinkSync('/dev/zero', join(root, 'to-device'))
    linkSync(join(out, 'secret.txt'), join(root, 'hard.txt'))
    mkdirSync(join(root, 'sub'))
    mkdirSync(join(root, 'submodule'))
    mkdirSync(join(root, 'not-checked-out'))
    writeFileSync(join(root, 'submodule/.git'), 'gitdir: ../.git/modules/submodule\n')
    writeFileSync(join(root, 'submodule/file.ts'), CANARY)
    writeFileSync(
      join(root, '.gitmodules'),
      '[submodule "x"]\n\tpath = not-checked-out\n\turl = https://example.org/x\n',
    )
    execFileSync('git', ['init', '-q', '--bare', join(root, 'bare.git')])
    execFileSync('mkfifo', [join(root, 'pipe')])
    const server = createServer().listen(join(root, 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    const tree = await open()
    try {
      expect(await codeOf(tree.read(path, FILE_BYTES_MAX))).toBe(code)
      expect(await codeOf(tree.resolve(path, 'read'))).toBe(code)
      expect(await codeOf(writeText(tree, path, 'x', null))).toBe(code)
      expect(await codeOf(tree.resolve(path, 'write'))).toBe(code)
    } finally {
      server.close()
    }
    expect(readFileSync(join(out, 'secret.txt'), 'utf8')).toBe(CANARY)
    expect(readdirSync(out)).toEqual(['secret.txt'])
  })

  it('takes a link to a file of the repository for that file', async () => {
    mkdirSync(join(root, 'links'))
    symlinkSync('../src/a.ts', join(root, 'links/relative'))
    symlinkSync(join(root, 'src'), join(root, 'links/folder'))
    symlinkSync('src/later.ts', join(root, 'dangling'))
    const tree = await open()
    const direct = await tree.resolve('src/a.ts', 'write')
    expect(await tree.resolve('links/relative', 'write')).toEqual(direct)
    expect(await tree.resolve('links/folder/a.ts', 'write')).toEqual(direct)
    await writeText(tree, 'links/folder/a.ts', 'new', sha256('old\n'))
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('new')
    expect(await tree.resolve('dangling', 'write')).toEqual({
      path: 'src/later.ts',
      key: 'src/later.ts',
      exists: false,
    })
  })

  it('refuses a link whose name is harmless and whose target is protected', async () => {
    writeFileSync(join(root, '.env'), CANARY)
    writeFileSync(join(root, 'package.json'), '{}')
    symlinkSync('.env', join(root, 'notes.txt'))
    symlinkSync('package.json', join(root, 'notes.json'))
    const tree = await open()
    expect(await codeOf(tree.read('notes.txt', 100))).toBe('protected_path')
    expect(await codeOf(tree.resolve('notes.json', 'write'))).toBe('protected_path')
    expect((await tree.read('notes.json', 100)).path).toBe('package.json')
  })

  it('opens a protected path that the owner named', async () => {
    const tree = await open({ allowProtected: ['.vscode/settings.json'] })
    await writeText(tree, '.vscode/settings.json', '{}', null)
    expect(await codeOf(tree.resolve('.vscode/tasks.json', 'write'))).toBe('protected_path')
  })

  it('refuses a large file before reading it', async () => {
    writeFileSync(join(root, 'big.bin'), '')
    truncateSync(join(root, 'big.bin'), 4 * 1024 ** 3)
    expect(await codeOf((await open()).read('big.bin', FILE_BYTES_MAX))).toBe('too_large')
  })

  it('says what stands in the way', async () => {
    const tree = await open()
    expect(await codeOf(tree.read('no/such/file', 1))).toBe('not_found')
    chmodSync(join(root, 'src/a.ts'), 0o444)
    expect(await codeOf(writeText(tree, 'src/a.ts', 'x', sha256('old\n')))).toBe('forbidden')
  })

  it('notices that the root is another folder', async () => {
    const tree = await open()
    const file = await tree.resolve('src/a.ts', 'write')
    renameSync(root, `${root}-old`)
    symlinkSync(`${root}-old`, root)
    expect(await codeOf(tree.read('src/a.ts', 100))).toBe('unavailable')
    unlinkSync(root)
    mkdirSync(join(root, 'src'), { recursive: true })
    writeFileSync(join(root, 'src/a.ts'), CANARY)
    expect(await codeOf(tree.read('src/a.ts', 100))).toBe('unavailable')
    expect(await codeOf(tree.write(file, bytes('x'), null))).toBe('unavailable')
    expect(await codeOf(list(tree))).toBe('unavailable')
    rmSync(root, { recursive: true })
    expect(await codeOf(tree.read('src/a.ts', 100))).toBe('unavailable')
  })

  it('takes a root that is given through a link', async () => {
    symlinkSync(root, join(base, 'shortcut'))
    symlinkSync(join(base, 'shortcut/src/a.ts'), join(root, 'by-shortcut'))
    const tree = await open({ root: join(base, 'shortcut') })
    expect((await tree.read('by-shortcut', 100)).path).toBe('src/a.ts')
    expect(await codeOf(createNodeFileTree({ root: join(base, 'none') }))).toBe('unavailable')
  })

  it('sees both Unicode forms of a name as one file', async () => {
    const tree = await open()
    await writeText(tree, 'src/é.ts', 'composed', null)
    const other = await tree.resolve('src/e\u0301.ts', 'write')
    expect(other).toEqual(await tree.resolve('src/é.ts', 'write'))
    writeFileSync(join(root, 'src/o\u0308.ts'), 'decomposed')
    expect(Buffer.from((await tree.read('src/ö.ts', 100)).bytes).toString()).toBe('decomposed')
    await writeText(tree, 'src/ö.ts', 'again', sha256('decomposed'))
    expect(readdirSync(join(root, 'src')).filter((name) => name.normalize('NFC') === 'ö.ts')).toHaveLength(1)
  })

  it('goes by the spelling on disk where letter case makes no difference', async () => {
    const tree = await open({ foldsCase: true })
    expect(await tree.resolve('SRC/A.TS', 'write')).toEqual({ path: 'src/a.ts', key: 'src/a.ts', exists: true })
    expect(await tree.resolve('SRC/New.TS', 'write')).toEqual({ path: 'src/New.TS', key: 'src/new.ts', exists: false })
  })

  it('lets 20 writers of one file come one after another, over two trees', async () => {
    const trees = [await open(), await open()]
    let written = 0
    const append = async (index: number): Promise<void> => {
      for (;;) {
        const tree = trees[index % 2] as FileTree
        const now = await tree.read('src/a.ts', FILE_BYTES_MAX)
        const text = `${Buffer.from(now.bytes).toString()}${index}\n`
        try {
          await tree.write(await tree.resolve('src/a.ts', 'write'), bytes(text), now.sha256)
          written += 1
          return
        } catch (error) {
          expect(error).toMatchObject({ code: 'conflict' })
        }
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, index) => append(index)))
    expect(written).toBe(20)
    const lines = readFileSync(join(root, 'src/a.ts'), 'utf8').trimEnd().split('\n')
    expect(
      lines
        .slice(1)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  // Linux only: elsewhere a process cannot list its own descriptors.
  it.runIf(isLinux)('leaves no descriptor open, whatever happens', async () => {
    symlinkSync(out, join(root, 'linkdir'))
    const tree = await open()
    const before = openDescriptors()
    for (const path of ['src/a.ts', 'src', 'linkdir/x', 'a/b/c', '.git/config', 'src/a.ts/x']) {
      await codeOf(tree.read(path, 1))
      await codeOf(tree.resolve(path, 'write'))
      await codeOf(writeText(tree, path, 'x', sha256('nothing')))
    }
    await writeText(tree, 'x/y/z', '', null)
    await list(tree, '', null, 1)
    await tree.sweep()
    expect(openDescriptors()).toBe(before)
  })
})

describe('a folder that is swapped for a link to the outside', () => {
  // Linux only: without /proc/self/fd there is a moment between check and rename, which docs/security.md tells.
  it.runIf(isLinux)(
    'never receives a byte, in 2,000 tries between temp file and rename',
    { timeout: 120_000 },
    async () => {
      const moved = join(root, 'moved')
      const tree = await openTree({
        beforeRename: async () => {
          renameSync(join(root, 'src'), moved)
          symlinkSync(out, join(root, 'src'))
        },
      })
      let content = 'old\n'
      for (let count = 0; count < 2000; count += 1) {
        const file = await tree.resolve('src/a.ts', 'write')
        const code = await codeOf(tree.write(file, bytes(`raced ${count}`), sha256(content)))
        if (code !== 'conflict') content = `raced ${count}`
        unlinkSync(join(root, 'src'))
        renameSync(moved, join(root, 'src'))
      }
      expect(readdirSync(out)).toEqual(['secret.txt'])
      expect(readFileSync(join(out, 'secret.txt'), 'utf8')).toBe(CANARY)
      expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(content)
      expect(readdirSync(join(root, 'src'))).toEqual(['a.ts'])
    },
  )

  // Linux only, for the same reason.
  it.runIf(isLinux)(
    'never receives a byte while another process swaps without pause',
    { timeout: 120_000 },
    async () => {
      writeFileSync(join(out, 'a.ts'), CANARY)
      const swapper = startScript(`
      import { renameSync, symlinkSync, unlinkSync } from 'node:fs'
      process.stdout.write('ready')
      for (;;) {
        renameSync('src', 'moved')
        symlinkSync(${JSON.stringify(out)}, 'src')
        unlinkSync('src')
        renameSync('moved', 'src')
      }`)
      try {
        await outputOf(swapper, 'ready')
        const tree = await openTree()
        let reads = 0
        // Until one was read too: on a busy machine the folder may be away each time for thousands of tries.
        for (let count = 0; count < 2000 || reads === 0; count += 1) {
          try {
            const { bytes: content, sha256: hash } = await tree.read('src/a.ts', 100)
            expect(Buffer.from(content).toString()).not.toContain(CANARY)
            reads += 1
            await tree.write(await tree.resolve('src/a.ts', 'write'), bytes(`raced ${count}`), hash)
          } catch (error) {
            expect(error).toMatchObject({ name: 'AppError' })
          }
        }
      } finally {
        await stop(swapper)
      }
      expect(readdirSync(out).toSorted()).toEqual(['a.ts', 'secret.txt'])
      expect(readFileSync(join(out, 'a.ts'), 'utf8')).toBe(CANARY)
    },
  )
})

describe('a write that is killed', () => {
  it('leaves the old file whole, and a temp file that a sweep removes', async () => {
    const module = new URL('./node-file-tree.ts', import.meta.url).href
    const writer = startScript(`
      import { createNodeFileTree } from ${JSON.stringify(module)}
      const tree = await createNodeFileTree({
        root: '.',
        beforeRename: () => new Promise(() => { process.stdout.write('temp file is there'); setInterval(() => {}, 1000) }),
      })
      const file = await tree.resolve('src/a.ts', 'write')
      await tree.write(file, new TextEncoder().encode('new'), ${JSON.stringify(sha256('old\n'))})`)
    await outputOf(writer, 'temp file is there')
    await stop(writer)
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('old\n')
    expect(readdirSync(join(root, 'src'))).toHaveLength(2)
    const tree = await openTree()
    expect(pathsOf(await list(tree))).toEqual(['src', 'src/a.ts'])
    expect(await tree.sweep()).toBe(1)
    expect(await tree.sweep()).toBe(0)
    expect(readdirSync(join(root, 'src'))).toEqual(['a.ts'])
    await writeText(tree, 'src/a.ts', 'new', sha256('old\n'))
  })

  it('does not lose its temp file to a sweep while it runs', async () => {
    const trees: FileTree[] = []
    const tree = await openTree({
      beforeRename: async () => {
        expect(await trees[0]?.sweep()).toBe(0)
      },
    })
    trees.push(tree)
    await writeText(tree, 'src/a.ts', 'new', sha256('old\n'))
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('new')
  })
})

describe('a write that fails', () => {
  it('leaves nothing behind: neither temp file nor new folders', async () => {
    const tree = await openTree({ beforeRename: () => Promise.reject(new Error('stopped')) })
    await expect(writeText(tree, 'new/deep/a.ts', 'x', null)).rejects.toThrow('stopped')
    expect(readdirSync(root).toSorted()).toEqual(['.git', 'src'])
  })

  // Only root may mount the small file system that this fills.
  it.runIf(existsSync('/dev/full') && process.getuid?.() === 0)(
    'keeps the old file when the disk is full',
    async ({ skip }) => {
      const small = join(base, 'small')
      mkdirSync(small)
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', small], { stdio: 'ignore' })
      } catch {
        skip('no right to mount a disk to fill')
      }
      try {
        writeFileSync(join(small, 'a.ts'), 'old\n')
        const tree = await createNodeFileTree({ root: small })
        expect(await codeOf(writeText(tree, 'a.ts', 'x'.repeat(200_000), sha256('old\n')))).toBe('disk_full')
        expect(readFileSync(join(small, 'a.ts'), 'utf8')).toBe('old\n')
        expect(readdirSync(small)).toEqual(['a.ts'])
      } finally {
        execFileSync('umount', [small])
      }
    },
  )
})

describe('walk', () => {
  it('lists in the order of paths, page after page, without git and without following links', async () => {
    for (const path of ['a/b/c.ts', 'a.ts', 'a-b/x', 'z']) {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), 'four')
    }
    symlinkSync('.', join(root, 'loop'))
    symlinkSync(out, join(root, 'o'))
    mkdirSync(join(root, 'nested/.git'), { recursive: true })
    writeFileSync(join(root, 'nested/file'), '')
    execFileSync('mkfifo', [join(root, 'pipe')])
    const tree = await openTree()
    const all = await list(tree)
    expect(all.map((entry) => `${entry.path} ${entry.kind} ${entry.bytes}`)).toEqual([
      'a folder null',
      'a/b folder null',
      'a/b/c.ts file 4',
      'a-b folder null',
      'a-b/x file 4',
      'a.ts file 4',
      'loop link null',
      'nested folder null',
      'o link null',
      'pipe other null',
      'src folder null',
      'src/a.ts file 4',
      'z file 4',
    ])
    const paged: string[] = []
    for (;;) {
      const page = await list(tree, '.', paged.at(-1) ?? null, 2)
      if (page.length === 0) break
      paged.push(...pathsOf(page))
    }
    expect(paged).toEqual(pathsOf(all))
    expect(pathsOf(await list(tree, 'a'))).toEqual(['a/b', 'a/b/c.ts'])
    expect(pathsOf(await list(tree, '', 'a/b/gone'))).toEqual(pathsOf(all).slice(3))
  })

  it('leaves out names that no caller could write', async () => {
    for (const name of ['a\nb', '\u001b[31m', 'safe\u202ex', 'trailing ', 'good']) writeFileSync(join(root, name), '')
    execFileSync('sh', ['-c', 'touch "$(printf "bad\\377name")"'], { cwd: root })
    expect(pathsOf(await list(await openTree()))).toEqual(['good', 'src', 'src/a.ts'])
  })

  it.each([
    ['none', 'not_found'],
    ['src/a.ts', 'invalid_input'],
    ['.git', 'protected_path'],
    ['..', 'outside_repository'],
    ['/', 'outside_repository'],
    ['o', 'outside_repository'],
    ['nested', 'outside_repository'],
    ['a\0', 'invalid_input'],
  ])('refuses %j', async (path, code) => {
    symlinkSync(out, join(root, 'o'))
    mkdirSync(join(root, 'nested/.git'), { recursive: true })
    expect(await codeOf(list(await openTree(), path))).toBe(code)
  })

  it('pages through a folder of 100,000 files', { timeout: 120_000 }, async () => {
    const many = join(root, 'many')
    mkdirSync(many)
    for (let index = 0; index < 100_000; index += 1) writeFileSync(join(many, String(index).padStart(6, '0')), '')
    const tree = await openTree()
    const first = await list(tree, 'many', null, 1000)
    expect(first.at(-1)?.path).toBe('many/000999')
    expect(pathsOf(await list(tree, 'many', 'many/099997'))).toEqual(['many/099998', 'many/099999'])
    let count = 0
    for await (const _entry of tree.walk('', null)) count += 1
    expect(count).toBe(100_003)
  })
})

function startScript(source: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function outputOf(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
      if (seen.includes(text)) resolve()
    })
    child.once('exit', () => reject(new Error(`ended early: ${seen}`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
