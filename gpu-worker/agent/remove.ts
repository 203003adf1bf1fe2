import type { ResolvedFile } from '../ports/file-tree.ts'
import { type LandPorts, readCurrent } from './land.ts'

export interface RemoveRequest {
  readonly file: ResolvedFile
  /** What is there, as the caller has read it. */
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly jobId: string | null
  /** As in LandRequest. */
  readonly agentId: string | null
  /** What the job will answer once the file is gone; null outside jobs. */
  readonly outcome: Readonly<Record<string, unknown>> | null
}

/**
 * The one way by which a file goes: keeps its bytes in git's object store, notes the intent, removes. Returns the blob.
 * Rejects as FileTree does (`conflict` where the file has changed meanwhile), and with `disk_full`.
 */
export async function removeFile(
  { file, bytes, sha256, jobId, agentId, outcome }: RemoveRequest,
  { files, repository, journal }: Pick<LandPorts, 'files' | 'repository' | 'journal'>,
): Promise<string> {
  const blob = await repository.storeBlob(bytes)
  const intent = { path: file.path, beforeSha256: sha256, afterSha256: null, blob, jobId, agentId, outcome }
  const entry = journal.begin(intent)
  try {
    await files.remove(file, sha256)
  } catch (error) {
    // The removal may have happened before what failed, so the file itself says what the journal has to.
    const now = await readCurrent(files, file.path).catch(() => null)
    journal.end(entry, now !== null && now.sha256 === null ? 'landed' : 'dropped')
    throw error
  }
  journal.end(entry, 'landed')
  return blob
}
