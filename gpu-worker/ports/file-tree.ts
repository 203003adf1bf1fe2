import type { RepositoryPath } from '../workspace/repository-path.ts'

export interface FileEntry {
  readonly path: RepositoryPath
  /** As in ResolvedFile; for a link or a folder simply that of its own path. */
  readonly key: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Null for all but files. */
  readonly bytes: number | null
}

/** Which file a path leads to. */
export interface ResolvedFile {
  /** Normal form with links resolved and, on a folding file system, the spelling on disk. */
  readonly path: RepositoryPath
  /** Equal for all spellings of one file. Ownership and locks go by it. */
  readonly key: string
  readonly exists: boolean
}

export interface FileBytes {
  readonly path: RepositoryPath
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes` in hexadecimal. */
  readonly sha256: string
}

/** What a path is wanted for. Some paths may be read but not written. */
export type PathUse = 'read' | 'write'

/**
 * The repository's files. The only code that touches them, beside git.
 *
 * Every method that takes `text` parses it first, and refuses with AppError: `invalid_input` (not a usable path),
 * `outside_repository` (leads out, by text or by link), `protected_path` (see docs/security.md). No message carries an
 * absolute path. Every open follows no link and never blocks on a pipe or device.
 */
export interface FileTree {
  /** Where `text` leads. The file may be missing; a folder in its place is `invalid_input`. */
  resolve(text: string, use: PathUse): Promise<ResolvedFile>
  /** Reads a regular file. `not_found`, or `too_large` before a byte is read. */
  read(text: string, bytesMax: number): Promise<FileBytes>
  /**
   * Replaces or creates a file so that at every moment, a crash included, it is wholly old or wholly new: temp file
   * beside it, fsync, rename, fsync of the folder. Keeps the file's mode; makes missing folders.
   * `expectedSha256`: what must be there now (null: nothing), compared under the file's lock, or `conflict`.
   * `disk_full` leaves the old file. Resolves once the new bytes are durable.
   */
  write(file: ResolvedFile, bytes: Uint8Array, expectedSha256: string | null): Promise<void>
  /** Removes a file that still has this hash, or `conflict`. Leaves folders. */
  remove(file: ResolvedFile, expectedSha256: string): Promise<void>
  /**
   * What lies directly and indirectly below a folder (`''` for the root), in order of path, without `.git` and without
   * following links. Starts after the path `after`; ends where the caller stops iterating.
   */
  walk(text: string, after: string | null): AsyncIterable<FileEntry>
  /** Removes temp files that a killed worker left. Returns how many. */
  sweep(): Promise<number>
}
