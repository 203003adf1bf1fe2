import { createHash } from 'node:crypto'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Checks } from '#shared/schemas/check.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { FileTree, ResolvedFile } from '../ports/file-tree.ts'
import type { Repository } from '../ports/repository.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import { decodeText, encodeText } from '../workspace/text.ts'
import { diffTexts } from './diff.ts'

export interface LandPorts {
  readonly files: FileTree
  readonly repository: Repository
  readonly checker: FileChecker
  readonly journal: WriteJournal
}

export interface LandRequest {
  readonly file: ResolvedFile
  readonly text: string
  /** What the caller believes to be there (null: nothing); undefined takes what is there now. */
  readonly expectedSha256: string | null | undefined
  /** Checks and compares, but writes nothing. */
  readonly dryRun: boolean
  /** Checks are told, but do not keep the text out: for what was there before. */
  readonly mayFailChecks?: boolean
  readonly jobId: string | null
  /** The agent as which the file is written; null or left out where none is. */
  readonly agentId?: string | null
  /** What the change was asked to do; left out where nobody said. */
  readonly task?: string
  /** As in CheckRequest. */
  readonly deadline?: number
  /** The verdict on this very text against `expectedSha256`, where the caller has just got it: commands take long. */
  readonly checks?: Checks
  /** What the job will answer once this has landed; null where more is to come. */
  readonly outcome?: (landed: Landed) => Readonly<Record<string, unknown>> | null
}

export interface Landed {
  readonly changed: boolean
  readonly diff: string
  readonly diffTruncated: boolean
  readonly insertions: number
  readonly deletions: number
  readonly checks: Checks
  readonly sha256: string
}

export interface CurrentFile {
  readonly text: string | null
  readonly sha256: string | null
  readonly bytes: Uint8Array | null
}

/** What a file holds now; nulls where it does not exist. */
export async function readCurrent(files: FileTree, path: string): Promise<CurrentFile> {
  try {
    const { bytes, sha256 } = await files.read(path, FILE_BYTES_MAX)
    return { text: decodeText(path, bytes), sha256, bytes }
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return { text: null, sha256: null, bytes: null }
    throw error
  }
}

export const hashBytes = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * The one way by which new content gets into a file: compares the version, runs the checks, keeps the bytes of before in
 * git's object store, notes the intent, writes. `conflict` when the file is not the expected version, `checks_failed`
 * (with checks and diff in the details) when a required check fails; the file is then as it was.
 */
export async function landFile(request: LandRequest, ports: LandPorts, signal: AbortSignal): Promise<Landed> {
  const { file, text, expectedSha256 } = request
  const bytes = encodeText(file.path, text, FILE_BYTES_MAX)
  const current = await readCurrent(ports.files, file.path)
  if (expectedSha256 !== undefined && expectedSha256 !== current.sha256) {
    throw new AppError('conflict', `Cannot write "${file.path}": it is not the version that was expected`, {
      hint: 'Read the file again; what somebody else wrote was kept',
      details: { sha256: current.sha256 },
    })
  }
  const checks = request.checks ?? (await check(request, current.text, ports.checker, signal))
  const { diff, truncated, insertions, deletions } = diffTexts(file.path, current.text, text)
  const sha256 = hashBytes(bytes)
  const landed: Landed = {
    changed: sha256 !== current.sha256,
    diff,
    diffTruncated: truncated,
    insertions,
    deletions,
    checks,
    sha256,
  }
  if (!checks.passed && request.mayFailChecks !== true) {
    const failures = checks.violations.filter((violation) => violation.severity === 'error')
    throw new AppError(
      'checks_failed',
      `Cannot write "${file.path}": ${failures.length} check${failures.length === 1 ? '' : 's'} failed (${failures[0]?.rule}: ${failures[0]?.message})`,
      { hint: 'Mend what the checks name and write again; the file is as it was', details: { checks, diff } },
    )
  }
  if (request.dryRun || !landed.changed) return landed

  const blob = current.bytes === null ? null : await ports.repository.storeBlob(current.bytes)
  const entry = ports.journal.begin({
    path: file.path,
    beforeSha256: current.sha256,
    afterSha256: sha256,
    blob,
    jobId: request.jobId,
    agentId: request.agentId ?? null,
    outcome: request.outcome?.(landed) ?? null,
  })
  try {
    await ports.files.write(file, bytes, current.sha256)
  } catch (error) {
    // The rename may have happened before what failed, so the file itself says what the journal has to.
    const now = await readCurrent(ports.files, file.path).catch(() => null)
    ports.journal.end(entry, now?.sha256 === sha256 ? 'landed' : 'dropped')
    throw error
  }
  ports.journal.end(entry, 'landed')
  return landed
}

async function check(
  { file, text, task, deadline }: LandRequest,
  before: string | null,
  checker: FileChecker,
  signal: AbortSignal,
): Promise<Checks> {
  const told = { ...(task === undefined ? {} : { task }), ...(deadline === undefined ? {} : { deadline }) }
  return (await checker.check({ path: file.path, text, before, ...told }, signal)).checks
}
