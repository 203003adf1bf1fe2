import { AppError } from '#shared/errors.ts'
import type { Weight } from '../gates/severity.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'
import type { Repository } from '../ports/repository.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import type { FindingCollector } from './findings.ts'

export interface OwnershipPorts {
  readonly files: FileTree
  readonly repository: Pick<Repository, 'ignored'>
  readonly registry: Pick<Registry, 'listOwners'>
}

interface Owned {
  readonly agentId: string
  /** As the registry has it. */
  readonly path: string
  /** Where it leads now; null where no tool could write it. */
  readonly file: { readonly path: RepositoryPath; readonly key: string; readonly exists: boolean } | null
  readonly problem: string | null
}

/** Paths that one question to git carries. */
const BATCH = 1000

/**
 * Whether each agent still has the file that it was made for: there, writable, known to git, and nobody else's. Two agents can
 * come to one file when a link, or a file system that does not tell letter case apart, came later.
 */
export async function checkOwnership(
  { files, repository, registry }: OwnershipPorts,
  collector: FindingCollector,
  weight: Exclude<Weight, 'off'>,
  isAsked: (path: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const ownerOf = new Map<string, string>()
  let batch: Owned[] = []
  async function flush(): Promise<void> {
    const there = batch.flatMap(({ file }) => (file === null ? [] : [file.path]))
    const ignored = there.length === 0 ? new Set<string>() : await repository.ignored(there)
    for (const owned of batch) {
      const message = problemOf(owned, ownerOf, ignored)
      if (owned.file !== null && !ownerOf.has(owned.file.key)) ownerOf.set(owned.file.key, owned.agentId)
      const found = message === null ? [] : [{ severity: weight, message, line: null, column: null }]
      collector.add('ownership', weight, owned.path, found)
    }
    batch = []
  }
  for await (const { agentId, path, key } of registry.listOwners()) {
    if (signal.aborted) throw new AppError('cancelled', 'Cannot look at the agents: the call was cancelled')
    if (!isAsked(path)) continue
    batch.push(await look(files, agentId, path, key))
    if (batch.length === BATCH) await flush()
  }
  if (batch.length > 0) await flush()
}

async function look(files: FileTree, agentId: string, path: string, key: string): Promise<Owned> {
  try {
    const file = await files.resolve(path, 'write')
    const problem =
      file.key === key
        ? null
        : `Agent ${agentId} was given this file under another spelling, which now leads to "${file.path}": give it that path with update_agent`
    return { agentId, path, file, problem }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const problem = `Agent ${agentId} cannot write its file (${error.message}): give it another with update_agent, or delete it`
    return { agentId, path, file: null, problem }
  }
}

function problemOf(
  { agentId, file, problem }: Owned,
  ownerOf: ReadonlyMap<string, string>,
  ignored: ReadonlySet<string>,
): string | null {
  if (problem !== null || file === null) return problem
  const other = ownerOf.get(file.key)
  if (other !== undefined) return `Agents ${other} and ${agentId} manage the same file: delete one of them`
  if (!file.exists) return `Agent ${agentId} manages a file that does not exist: give it a task, or delete the agent`
  if (ignored.has(file.path)) return `Agent ${agentId} manages a file that git ignores: what it writes is in no commit`
  return null
}
