import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitCommit, gitDiff, gitLog, gitStatus } from '#shared/tools/git.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

/** A line `token: value` at the end of a commit message. A token may come several times. */
export interface Trailer {
  readonly token: string
  readonly value: string
}

export interface CommitRequest {
  /** Kept to the byte. */
  readonly message: string
  readonly paths: readonly RepositoryPath[]
  /** Added to the message, in this order. */
  readonly trailers: readonly Trailer[]
}

export interface WorkTree {
  /**
   * Tracked files that are there, and new ones that git does not ignore, in order of path. Without what may not be read, and
   * without names that no caller could write.
   */
  readonly files: readonly { readonly path: RepositoryPath; readonly mode: '100644' | '100755' | '120000' }[]
  /** Of the readable paths those that differ from the last commit, removed files among them. */
  readonly changed: readonly RepositoryPath[]
  /** False before the first commit. */
  readonly hasCommit: boolean
}

/** A hook file of git. */
export interface GitHook {
  /** The folder of the repository that it lies in; null for git's own. */
  readonly folder: RepositoryPath | null
  /** The hook and the files beside it, by name. */
  readonly files: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly isExecutable: boolean }>
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
  /**
   * A page of work tree against `revision` (default HEAD; the empty tree before the first commit), or index against it. `REVISION^!` is what
   * that commit changed. `conflict` where the cursor belongs to another diff than the one of now.
   */
  diff(request: {
    path: RepositoryPath | null
    staged: boolean
    revision: string | null
    cursor: string | null
  }): Promise<ToolOutput<typeof gitDiff>>
  /** Commits exactly these paths as they are in the work tree; other staged work stays staged. */
  commit(request: CommitRequest): Promise<ToolOutput<typeof gitCommit>>
  log(request: {
    limit: number
    path: RepositoryPath | null
    cursor: string | null
  }): Promise<ToolOutput<typeof gitLog>>
  /**
   * A file as the last commit has it and a checkout would write it, no filter program run; null where that commit has no
   * such file, or one larger than this server writes.
   */
  committedBytes(path: RepositoryPath): Promise<Uint8Array | null>
  /** The files of the work tree, and what differs from the last commit. `too_large` for more than can be listed. */
  workTree(): Promise<WorkTree>
  /**
   * The hook file that git would run before a commit; null where there is none. `unavailable` where it lies neither in the
   * repository nor in git's folder. Reads it, and never runs it.
   */
  preCommitHook(): Promise<GitHook | null>
  /** Puts bytes into the object store as they are (no filters); returns the blob's id. */
  storeBlob(bytes: Uint8Array): Promise<string>
  readBlob(id: string): Promise<Uint8Array>
  /** Paths among these that git ignores. */
  ignored(paths: readonly RepositoryPath[]): Promise<Set<RepositoryPath>>
  /** What of the repository's configuration, as it is now, is switched off or refused, for a person. Never rejects for it. */
  notices(): Promise<readonly string[]>
}
