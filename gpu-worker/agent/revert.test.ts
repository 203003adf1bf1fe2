import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { type LandPorts, landFile } from './land.ts'
import { revertJob } from './revert.ts'

const signal = new AbortController().signal

describe('revertJob', () => {
  let world: TempRepository
  let ports: LandPorts & { readonly journal: SqliteJournal }
  beforeAll(async () => {
    world = await createTempRepository()
    ports = {
      files: await createNodeFileTree({ root: world.root }),
      repository: await openRepository({ root: world.root }),
      checker: createFileChecker({ parser: createTreeSitterParser() }),
      journal: openSqliteJournal(join(world.folder, 'journal.sqlite')),
    }
  })
  afterAll(async () => {
    await ports.checker.close()
    ports.journal.close()
    world.remove()
  })

  async function write(path: string, text: string, jobId: string): Promise<void> {
    const file = await ports.files.resolve(path, 'write')
    await landFile({ file, text, expectedSha256: undefined, dryRun: false, jobId }, ports, signal)
  }

  const revert = async (path: string, revertedJobId: string, abort = signal) =>
    revertJob(
      { file: await ports.files.resolve(path, 'write'), revertedJobId, jobId: `${revertedJobId}-undo`, agentId: 'a1' },
      ports,
      abort,
    )

  it('notes what it will answer before it removes a file, so that a killed worker does not do it twice', async () => {
    await write('new.py', 'x = 1\n', 'made')
    const outcome = await revert('new.py', 'made')
    expect(world.exists('new.py')).toBe(false)
    expect(ports.journal.writesOf('made-undo')).toMatchObject([{ afterSha256: null, outcome }])
    expect(ports.journal.unfinished()).toEqual([])
  })

  it('refuses where git no longer has the bytes, and leaves the file', async () => {
    await write('gone.py', 'x = 1\n', 'first')
    await write('gone.py', 'x = 2\n', 'second')
    const { blob } = ports.journal.writesOf('second')[0] ?? {}
    rmSync(join(world.root, '.git', 'objects', String(blob).slice(0, 2)), { recursive: true })
    await expect(revert('gone.py', 'second')).rejects.toMatchObject({ code: 'not_found' })
    expect(world.read('gone.py')).toBe('x = 2\n')
  })

  it('refuses a job that wrote another file', async () => {
    await write('one.py', 'x = 1\n', 'one')
    await expect(revert('two.py', 'one')).rejects.toMatchObject({ code: 'not_found' })
    expect(world.read('one.py')).toBe('x = 1\n')
  })

  it('changes nothing once it is cancelled', async () => {
    await write('kept.py', 'x = 1\n', 'kept')
    await expect(revert('kept.py', 'kept', AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
    expect(world.read('kept.py')).toBe('x = 1\n')
  })
})
