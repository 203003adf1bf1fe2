import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import type { Registry } from '#gpu-worker/ports/registry.ts'
import { KeyedLocks } from '#gpu-worker/workspace/locks.ts'
import { BUGS_PATH } from '#shared/schemas/bug.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createBugTools } from './bugs.ts'
import type { FileToolPorts } from './files.ts'

// A person who saves the file at the worst moment: after a report has read it, before it writes.

const nobodyOwnsAnything: Registry = {
  findOwners: async () => new Map(),
  claimJob: () => Promise.reject(new Error('No job here')),
  finishJob: () => Promise.reject(new Error('No job here')),
  findOver: () => Promise.reject(new Error('No job here')),
  listOwners: async function* () {},
}
const context = { caller: { subject: 'owner' }, agent: null, signal: new AbortController().signal }
const bug = { severity: 'low', category: 'docs', title: 'Reported', description: 'What is wrong' } as const

describe('report_bug beside a person with an editor', () => {
  let world: TempRepository
  let journal: SqliteJournal
  let ports: FileToolPorts
  let saves = 0
  let savesMax = 0
  let moment: 'once it was read' | 'while it is checked'
  const save = (now: typeof moment): void => {
    if (now === moment && saves < savesMax) world.write(BUGS_PATH, `{"bugs": [], "saved": ${++saves}}\n`)
  }

  beforeAll(async () => {
    world = await createTempRepository({ [BUGS_PATH]: '{"bugs": []}\n' })
    journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
    const checker = createFileChecker({ parser: createTreeSitterParser() })
    const files = await createNodeFileTree({ root: world.root })
    ports = {
      files: {
        resolve: (text, use) => files.resolve(text, use),
        write: (file, bytes, expectedSha256) => files.write(file, bytes, expectedSha256),
        remove: (file, expectedSha256) => files.remove(file, expectedSha256),
        walk: (text, after) => files.walk(text, after),
        sweep: () => files.sweep(),
        async read(text, bytesMax) {
          const read = await files.read(text, bytesMax)
          save('once it was read')
          return read
        },
      },
      repository: await openRepository({ root: world.root }),
      registry: nobodyOwnsAnything,
      journal,
      edits: new KeyedLocks(),
      checker: {
        ...checker,
        async check(request, signal) {
          save('while it is checked')
          return checker.check(request, signal)
        },
      },
    }
  })
  beforeEach(() => {
    saves = 0
    world.write(BUGS_PATH, '{"bugs": []}\n')
  })
  afterAll(async () => {
    await ports.checker.close()
    journal.close()
    world.remove()
  })

  it.each(['once it was read', 'while it is checked'] as const)('adds the bug to what was saved %s', async (when) => {
    moment = when
    savesMax = 1
    const { bug: added } = await createBugTools(ports).report_bug(bug, context)
    expect(JSON.parse(world.read(BUGS_PATH))).toMatchObject({ saved: 1, bugs: [added], statistics: { total: 1 } })
  })

  it('gives way to a person who saves again and again', async () => {
    moment = 'while it is checked'
    savesMax = 99
    await expect(createBugTools(ports).report_bug(bug, context)).rejects.toMatchObject({ code: 'conflict' })
    expect(world.read(BUGS_PATH)).toBe('{"bugs": [], "saved": 3}\n')
    expect(journal.unfinished()).toEqual([])
  })
})
