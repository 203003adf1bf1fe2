import { describe, expect, it } from 'vitest'
import type { Repository } from '../ports/repository.ts'
import type { WriteIntent, WriteJournal } from '../ports/write-journal.ts'
import { parseRepositoryPath } from './repository-path.ts'
import { tellCommits, tellWrites } from './tell-changes.ts'

const intent = (path: string, afterSha256: string | null, agentId: string | null): WriteIntent => ({
  path: parseRepositoryPath(path),
  beforeSha256: null,
  afterSha256,
  blob: null,
  jobId: null,
  agentId,
  outcome: null,
})

function journalOf(ended: string[]): WriteJournal {
  let count = 0
  return {
    begin: () => ++count,
    end: (id, how) => void ended.push(`${id} ${how}`),
    lastWrites: () => [],
    writesTo: () => [],
    writesOf: () => [],
  }
}

describe('a journal that tells', () => {
  it('tells of what landed, once the journal knows, and not of what was dropped', () => {
    const ended: string[] = []
    const told: unknown[] = []
    const journal = tellWrites(journalOf(ended), (event) => told.push([event, ended.length]))
    const [written, dropped, removed] = [
      journal.begin(intent('a.py', 'f00', 'a1')),
      journal.begin(intent('b.py', 'f00', null)),
      journal.begin(intent('c.py', null, null)),
    ]
    journal.end(dropped, 'dropped')
    journal.end(written, 'landed')
    journal.end(removed, 'landed')
    expect(ended).toEqual(['2 dropped', '1 landed', '3 landed'])
    expect(told).toEqual([
      [{ v: 1, type: 'file_changed', path: 'a.py', change: 'written', agent_id: 'a1' }, 2],
      [{ v: 1, type: 'file_changed', path: 'c.py', change: 'deleted' }, 3],
    ])
  })
})

describe('a repository that tells', () => {
  class Committing {
    readonly #commit = '2fd4e1c'
    async commit() {
      return { commit: this.#commit, branch: 'main', files: ['a.py'] }
    }
    hasCommit() {
      return this.#commit
    }
  }

  it('tells of a commit that was made, and is otherwise as it was', async () => {
    const told: unknown[] = []
    const repository = tellCommits(new Committing() as unknown as Repository, (event) => told.push(event))
    await repository.commit({ message: 'm', paths: [], trailers: [] })
    expect(told).toEqual([{ v: 1, type: 'committed', commit: '2fd4e1c' }])
    expect((repository as unknown as Committing).hasCommit()).toBe('2fd4e1c')
  })
})
