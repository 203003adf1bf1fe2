import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { hashBytes } from '../agent/land.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { Repository, Trailer } from '../ports/repository.ts'
import type { WriteIntent, WriteJournal } from '../ports/write-journal.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

/** Files that git is asked about at the same time. */
const AT_ONCE_MAX = 8

export interface TrailerPorts {
  readonly files: FileTree
  readonly repository: Pick<Repository, 'committedBytes'>
  readonly journal: Pick<WriteJournal, 'writesTo'>
}

/**
 * Who made what a commit takes: `Millwright-Agent` for the agent that commits and for each as which a file was written,
 * `Millwright-Job` for each job whose write is in it. Each once, those of a file in the order in which they were made.
 */
export async function commitTrailers(
  ports: TrailerPorts,
  paths: readonly RepositoryPath[],
  committing: string | null,
): Promise<Trailer[]> {
  const agents = new Set(committing === null ? [] : [committing])
  const jobs = new Set<string>()
  for (let start = 0; start < paths.length; start += AT_ONCE_MAX) {
    const batch = paths.slice(start, start + AT_ONCE_MAX)
    for (const writes of await Promise.all(batch.map((path) => writesIn(ports, path)))) {
      for (const { agentId, jobId } of writes) {
        if (agentId !== null) agents.add(agentId)
        if (jobId !== null) jobs.add(jobId)
      }
    }
  }
  return [
    ...[...agents].map((value) => ({ token: 'Millwright-Agent', value })),
    ...[...jobs].map((value) => ({ token: 'Millwright-Job', value })),
  ]
}

/** The writes of a file that a commit of now takes. Git is asked only where an agent or a job wrote it. */
async function writesIn(ports: TrailerPorts, path: RepositoryPath) {
  const writes = ports.journal.writesTo(path)
  if (!writes.some(({ jobId, agentId }) => jobId !== null || agentId !== null)) return []
  const before = await ports.repository.committedBytes(path)
  return writesSince(writes, before === null ? null : hashBytes(before), await hashNow(ports.files, path))
}

/**
 * Of a file's writes, oldest first, those since it was as the last commit has it. Where no write tells when that was (a
 * person committed something else), only the unbroken row of writes that led to what is there now: to name no job is
 * better than to name a wrong one.
 */
export function writesSince(
  writes: readonly Pick<WriteIntent, 'beforeSha256' | 'afterSha256' | 'jobId' | 'agentId'>[],
  committed: string | null,
  current: string | null,
): readonly Pick<WriteIntent, 'jobId' | 'agentId'>[] {
  const wasCommitted = writes.findLastIndex(({ afterSha256 }) => afterSha256 === committed)
  const started = writes.findLastIndex(({ beforeSha256 }) => beforeSha256 === committed)
  // A write that began at the commit is in; one that led back to it is not.
  const start = Math.max(wasCommitted + 1, started)
  if (wasCommitted !== -1 || started !== -1) return writes.slice(start)
  let [first, expected] = [writes.length, current]
  while (first > 0 && writes[first - 1]?.afterSha256 === expected) {
    first -= 1
    expected = writes[first]?.beforeSha256 ?? null
  }
  return writes.slice(first)
}

/** Null where there is no file, or one that this server cannot have written. */
async function hashNow(files: FileTree, path: RepositoryPath): Promise<string | null> {
  try {
    return (await files.read(path, FILE_BYTES_MAX)).sha256
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
