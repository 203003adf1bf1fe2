import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import type { FileEntry, FileTree } from '#gpu-worker/ports/file-tree.ts'
import type { Repository } from '#gpu-worker/ports/repository.ts'
import { visible } from '#gpu-worker/tools/files.ts'

/** A repository for commands that look at it without a server. */
export interface OpenedRepository {
  readonly files: FileTree
  readonly repository: Repository
  /** Everything but what git ignores, as `list_files` shows it. */
  readonly list: (signal: AbortSignal) => AsyncIterable<FileEntry>
}

/** Opens the repository with this top folder. Rejects with AppError where it is none that can be used. */
export async function openForLooking(root: string): Promise<OpenedRepository> {
  const files = await createNodeFileTree({ root })
  const repository = await openRepository({
    root,
    ...(process.env.PATH === undefined ? {} : { searchPath: process.env.PATH }),
  })
  return { files, repository, list: (signal) => visible({ files, repository }, '', null, signal) }
}
