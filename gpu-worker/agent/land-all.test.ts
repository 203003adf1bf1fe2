import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { openRepository } from '../adapters/simple-git.ts'
import { openSqliteJournal } from '../adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '../adapters/tree-sitter-parser.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { KeyedLocks } from '../workspace/locks.ts'
import { type LandPorts, readCurrent } from './land.ts'
import { type LandAllRequest, type LandingPart, landAll, withLocks } from './land-all.ts'

let world: TempRepository
let files: FileTree
let ports: LandPorts & { close(): Promise<void> }
beforeEach(async () => {
  world = await createTempRepository({ 'b.py': 'b = 1\n' })
  files = await createNodeFileTree({ root: world.root })
  const journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  const checker = createFileChecker({ parser: createTreeSitterParser() })
  const close = async () => {
    await checker.close()
    journal.close()
  }
  ports = { files, repository: await openRepository({ root: world.root }), checker, journal, close }
})
afterEach(async () => {
  await ports.close()
  world.remove()
})

const partOf = async (path: string, text: string): Promise<LandingPart> => ({
  file: await files.resolve(path, 'write'),
  text,
  before: await readCurrent(files, path),
})
const land = async (
  texts: Record<string, string>,
  more: Partial<LandAllRequest> = {},
  signal = new AbortController().signal,
) => {
  const parts = await Promise.all(Object.entries(texts).map(([path, text]) => partOf(path, text)))
  return landAll({ parts, dryRun: false, job: null, ...more }, ports, signal)
}
const all = { 'a.py': 'a = 2\n', 'b.py': 'b = 2\n', 'c.py': 'c = 2\n' }

describe('several files', () => {
  it('land together, and can be taken back', async () => {
    const { landed, takeBack } = await land(all)
    expect(landed.map(({ changed }) => changed)).toEqual([true, true, true])
    expect(world.read('b.py')).toBe('b = 2\n')
    expect(await takeBack()).toEqual({ restored: ['c.py', 'b.py', 'a.py'], left: [] })
    expect([world.exists('a.py'), world.read('b.py'), world.exists('c.py')]).toEqual([false, 'b = 1\n', false])
  })

  it('are all checked before one is written', async () => {
    const refused = land({ ...all, 'c.py': 'def (:\n' })
    await expect(refused).rejects.toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('Cannot write "c.py": syntax'),
      details: { files: [{ checks: { passed: true } }, { checks: { passed: true } }, { checks: { passed: false } }] },
    })
    expect([world.exists('a.py'), world.read('b.py')]).toEqual([false, 'b = 1\n'])
  })

  it('are not written with what else is found in one', async () => {
    const violation = { rule: 'own', severity: 'error', message: 'No', line: null, column: null } as const
    const judge = async ({ file }: LandingPart) => (file.path === 'c.py' ? [violation] : [])
    await expect(land(all, { judge })).rejects.toMatchObject({ code: 'checks_failed' })
    expect(world.exists('a.py')).toBe(false)
    const warning = { ...violation, severity: 'warning' } as const
    const { landed } = await land(all, { judge: async () => [warning] })
    expect(landed[0]?.checks).toMatchObject({ passed: true, violations: [warning] })
  })

  it('are taken back where somebody changes one meanwhile, whose text stays', async () => {
    const judge = async ({ file }: LandingPart) => {
      if (file.path === 'c.py') world.write('c.py', 'mine = 1\n')
      return []
    }
    await expect(land(all, { judge })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('taken back: b.py, a.py'),
      details: { taken_back: ['b.py', 'a.py'], left: [] },
    })
    expect([world.exists('a.py'), world.read('b.py'), world.read('c.py')]).toEqual([false, 'b = 1\n', 'mine = 1\n'])
  })

  it('are taken back where the call is cancelled in between', async () => {
    const cancel = new AbortController()
    const write = files.write.bind(files)
    const stopped = {
      ...files,
      resolve: files.resolve.bind(files),
      read: files.read.bind(files),
      remove: files.remove.bind(files),
      write: async (...args: Parameters<FileTree['write']>) => {
        await write(...args)
        if (args[0].path === 'b.py') cancel.abort()
      },
    } as FileTree
    const parts = await Promise.all(Object.entries(all).map(([path, text]) => partOf(path, text)))
    const landing = landAll({ parts, dryRun: false, job: null }, { ...ports, files: stopped }, cancel.signal)
    await expect(landing).rejects.toMatchObject({ code: 'cancelled', details: { taken_back: ['b.py', 'a.py'] } })
    expect([world.exists('a.py'), world.read('b.py'), world.exists('c.py')]).toEqual([false, 'b = 1\n', false])
  })

  it('are taken back where one is there although its write failed, all but what cannot be', async () => {
    const write = files.write.bind(files)
    let isBroken = false
    const failing: FileTree = {
      ...files,
      resolve: files.resolve.bind(files),
      read: files.read.bind(files),
      remove: files.remove.bind(files),
      write: async (...args) => {
        if (isBroken && args[0].path === 'b.py') throw new TypeError('a fault of our own')
        await write(...args)
        isBroken ||= args[0].path === 'c.py'
        if (isBroken) throw new AppError('disk_full', 'Cannot write "c.py": the disk is full')
      },
    }
    const parts = await Promise.all(Object.entries(all).map(([path, text]) => partOf(path, text)))
    const full = landAll(
      { parts, dryRun: false, job: null },
      { ...ports, files: failing },
      new AbortController().signal,
    )
    await expect(full).rejects.toMatchObject({
      code: 'disk_full',
      message: 'Cannot write "c.py": the disk is full; taken back: c.py, a.py; could not be taken back: b.py',
      hint: expect.stringContaining('could not be taken back'),
      details: { taken_back: ['c.py', 'a.py'], left: ['b.py'] },
    })
    expect([world.exists('a.py'), world.read('b.py'), world.exists('c.py')]).toEqual([false, 'b = 2\n', false])
  })

  it('that somebody has changed since are left as they are', async () => {
    const { takeBack } = await land(all)
    world.write('a.py', 'mine = 1\n')
    world.write('b.py', 'mine = 2\n')
    expect(await takeBack()).toEqual({ restored: ['c.py'], left: ['b.py', 'a.py'] })
    expect([world.read('a.py'), world.read('b.py')]).toEqual(['mine = 1\n', 'mine = 2\n'])
  })

  it('stay as they were in a dry run', async () => {
    const { landed } = await land(all, { dryRun: true })
    expect(landed.map(({ insertions }) => insertions)).toEqual([1, 1, 1])
    expect([world.exists('a.py'), world.read('b.py')]).toEqual([false, 'b = 1\n'])
  })

  it('end their job with the last of them', async () => {
    const id = 'job_0123456789abcdefghjkmnpqrs'
    await land(all, { job: { id, outcome: () => ({ done: true }) } })
    expect(ports.journal.writesOf(id)).toMatchObject([{ path: 'c.py', outcome: { done: true } }])
  })
})

describe('locks of several files', () => {
  it('are taken in one order, whoever asks', async () => {
    const locks = new KeyedLocks()
    const [a, b] = [await files.resolve('a.py', 'write'), await files.resolve('b.py', 'write')]
    const { signal } = new AbortController()
    let atWork = 0
    const work = async () => {
      atWork += 1
      expect(atWork).toBe(1)
      await files.read('b.py', 100)
      atWork -= 1
      return 'done'
    }
    const both = await Promise.all([withLocks([a, b], locks, work, signal), withLocks([b, a, b], locks, work, signal)])
    expect(both).toEqual(['done', 'done'])
    expect(locks.size).toBe(0)
  })
})
