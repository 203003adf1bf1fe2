import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX, PAGE_DEFAULT } from '#shared/protocol/limits.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { Repository } from '../ports/repository.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { commitTrailers } from './commit-trailers.ts'
import type { ToolHandlers } from './handler.ts'

export interface GitToolPorts {
  readonly files: FileTree
  readonly repository: Repository
  readonly journal: WriteJournal
}

type GitTools = 'git_status' | 'git_diff' | 'git_commit' | 'git_log'

export function createGitTools({ files, repository, journal }: GitToolPorts): ToolHandlers<GitTools> {
  const pathOf = async (text: string): Promise<RepositoryPath> => (await files.resolve(text, 'read')).path

  /** The paths that a commit is to take: see the tool's description. */
  async function pathsToCommit(paths: readonly string[] | undefined, agent: ActingAgent | null) {
    if (paths !== undefined) {
      const resolved = await Promise.all(paths.map(pathOf))
      if (agent !== null) {
        const own = await pathOf(agent.managed_file)
        const other = resolved.find((path) => path !== own)
        if (other !== undefined) {
          throw new AppError(
            'not_owner',
            `Cannot commit "${other}" as agent ${agent.agent_id}: it manages "${own}" only`,
            {
              hint: 'Leave agent_id out to commit several files',
            },
          )
        }
      }
      return resolved
    }
    if (agent !== null) return [await pathOf(agent.managed_file)]
    const writes = journal.lastWrites()
    // Of these alone: in a repository with many changed files, the status does not show them all.
    const changed = await repository.changed(writes.map((write) => write.path))
    const written: RepositoryPath[] = []
    for (const write of writes) {
      if (changed.has(write.path) && (await isStill(files, write))) written.push(write.path)
    }
    if (written.length === 0) {
      throw new AppError(
        'invalid_input',
        'Cannot commit: nothing that was written through this server is uncommitted',
        {
          hint: 'Name the files in paths, or an agent_id; git_status shows what has changed',
        },
      )
    }
    return written
  }

  return {
    git_status: () => repository.status(),
    git_diff: async (input) =>
      repository.diff({
        path: input.path === undefined ? null : await pathOf(input.path),
        staged: input.staged ?? false,
        revision: input.revision ?? null,
        cursor: input.cursor ?? null,
      }),
    async git_commit(input, context) {
      const paths = [...new Set(await pathsToCommit(input.paths, context.agent))]
      const trailers = await commitTrailers({ files, repository, journal }, paths, context.agent?.agent_id ?? null)
      return repository.commit({ message: input.message, paths, trailers })
    },
    git_log: async (input) =>
      repository.log({
        limit: input.limit ?? PAGE_DEFAULT,
        path: input.path === undefined ? null : await pathOf(input.path),
        cursor: input.cursor ?? null,
      }),
  }
}

/** Whether a file still is as this server left it. What a person changed since is the person's to commit. */
async function isStill(files: FileTree, write: { path: RepositoryPath; afterSha256: string | null }): Promise<boolean> {
  try {
    // What is larger than this server writes is somebody else's.
    const { sha256 } = await files.read(write.path, FILE_BYTES_MAX)
    return sha256 === write.afterSha256
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return write.afterSha256 === null
    if (error instanceof AppError) return false
    throw error
  }
}
