import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { Repository } from '../ports/repository.ts'
import type { WriteIntent, WriteJournal } from '../ports/write-journal.ts'

type Tell = (event: WorkspaceEvent) => void

/**
 * The same journal, which tells of each write that lands. Every way to write a file notes it here, so that none can forget
 * to tell: tools, jobs, what is taken back, what is removed.
 */
export function tellWrites<Journal extends WriteJournal>(journal: Journal, tell: Tell): Journal {
  const begun = new Map<number, WriteIntent>()
  return {
    ...journal,
    begin(intent: WriteIntent) {
      const id = journal.begin(intent)
      begun.set(id, intent)
      return id
    },
    end(id: number, how: 'landed' | 'dropped') {
      const intent = begun.get(id)
      begun.delete(id)
      journal.end(id, how)
      if (how === 'landed' && intent !== undefined) tell(toFileChanged(intent))
    },
  }
}

/** The same repository, which tells of each commit that it makes. */
export function tellCommits(repository: Repository, tell: Tell): Repository {
  const commit: Repository['commit'] = async (request) => {
    const made = await repository.commit(request)
    tell({ v: WIRE_VERSION, type: 'committed', commit: made.commit })
    return made
  }
  return new Proxy(repository, {
    get(target, name) {
      if (name === 'commit') return commit
      const value: unknown = Reflect.get(target, name, target)
      // Bound, since a repository may keep what is private to it.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const toFileChanged = ({ path, afterSha256, agentId }: WriteIntent): WorkspaceEvent => ({
  v: WIRE_VERSION,
  type: 'file_changed',
  path,
  change: afterSha256 === null ? 'deleted' : 'written',
  ...(agentId === null ? {} : { agent_id: agentId }),
})
