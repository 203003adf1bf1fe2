import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitCommit, gitDiff, gitLog, gitStatus } from '#shared/tools/git.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

export interface CommitRequest {
  readonly message: string
  readonly paths: readonly RepositoryPath[]
  /** Added to the message as git trailers, e.g. `Millwright-Agent: a1`. */
  readonly trailers: Readonly<Record<string, string>>
}

/**
 * Git, without ever running a program that the repository names. Methods reject with AppError; `repository_busy` where
 * another process holds a lock past the deadline (its lock is never removed), `conflict` where HEAD is detached or a
 * merge, rebase or the like is under way, `unavailable` where the repository is not the one that was opened.
 */
export interface Repository {
  status(): Promise<ToolOutput<typeof gitStatus>>
  /** Paths among these at which the work tree or the index differs from the last commit; ignored ones are left out. */
  changed(paths: readonly RepositoryPath[]): Promise<Set<RepositoryPath>>
  /** Work tree against `revision` (default HEAD; the empty tree before the first commit), or index against it. */
  diff(request: {
    path: RepositoryPath | null
    staged: boolean
    revision: string | null
  }): Promise<ToolOutput<typeof gitDiff>>
  /** Commits exactly these paths as they are in the work tree; other staged work stays staged. */
  commit(request: CommitRequest): Promise<ToolOutput<typeof gitCommit>>
  log(request: {
    limit: number
    path: RepositoryPath | null
    cursor: string | null
  }): Promise<ToolOutput<typeof gitLog>>
  /** Puts bytes into the object store as they are (no filters); returns the blob's id. */
  storeBlob(bytes: Uint8Array): Promise<string>
  readBlob(id: string): Promise<Uint8Array>
  /** Paths among these that git ignores. */
  ignored(paths: readonly RepositoryPath[]): Promise<Set<RepositoryPath>>
  /** What of the repository's configuration was switched off or is refused, for a person. */
  notices(): readonly string[]
}
