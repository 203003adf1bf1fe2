import { AppError } from '#shared/errors.ts'
import type { ChatOutcome } from '#shared/tools/agents.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { WriteIntent } from '../ports/write-journal.ts'
import { decodeText } from '../workspace/text.ts'
import { diffTexts } from './diff.ts'
import { hashBytes, type Landed, type LandPorts, landFile, readCurrent } from './land.ts'
import { removeFile } from './remove.ts'
import { unmodelledOutcome } from './unmodelled-outcome.ts'

export interface RevertRequest {
  /** The agent's file. The caller has made sure that the agent owns it. */
  readonly file: ResolvedFile
  /** The job whose write is taken back. */
  readonly revertedJobId: string
  /** The job that takes it back: its own write can be taken back in turn. */
  readonly jobId: string
  /** The agent that owns the file. */
  readonly agentId: string
}

/**
 * Writes back the bytes that were in the file before a job wrote it; a job that made the file has it removed again. The
 * checks run and are told, but the bytes of before come back whatever they say.
 *
 * Rejects with AppError, the file then being as it was: `not_found` where the job wrote nothing to this file, or where git
 * no longer has the bytes; `conflict` where the file is no longer what the job wrote.
 */
export async function revertJob(request: RevertRequest, ports: LandPorts, signal: AbortSignal): Promise<ChatOutcome> {
  const { file, revertedJobId, jobId, agentId } = request
  const write = await findWrite(request, ports)
  if ((await readCurrent(ports.files, file.path)).sha256 !== write.afterSha256) throw changedSince(request)
  if (write.beforeSha256 === null) return removeAgain(request, write, ports, signal)
  const reply = `Took back job ${revertedJobId}: ${file.path} is as it was before`
  const outcome = (landed: Landed): ChatOutcome => unmodelledOutcome(reply, landed)
  const text = decodeText(file.path, await bytesBefore(request, write, ports))
  const how = { dryRun: false, mayFailChecks: true, jobId, agentId, outcome }
  return outcome(await landFile({ file, text, expectedSha256: write.afterSha256, ...how }, ports, signal))
}

/** The last write of the job, which must be to this file. */
async function findWrite({ file, revertedJobId }: RevertRequest, ports: LandPorts): Promise<WriteIntent> {
  const write = ports.journal.writesOf(revertedJobId).at(-1)
  if (write === undefined) {
    throw new AppError('not_found', `Cannot take back job "${revertedJobId}": it wrote nothing, or too long ago`, {
      hint: 'Ask get_job what it did; git_log and git_diff know what was committed',
    })
  }
  if ((await ports.files.resolve(write.path, 'write')).key !== file.key) {
    throw new AppError('not_found', `Cannot take back job "${revertedJobId}": it did not write "${file.path}"`)
  }
  return write
}

async function bytesBefore(
  { file, revertedJobId }: RevertRequest,
  write: WriteIntent,
  { repository }: LandPorts,
): Promise<Uint8Array> {
  const bytes = write.blob === null ? null : await repository.readBlob(write.blob).catch(nullIfNotFound)
  if (bytes === null || hashBytes(bytes) !== write.beforeSha256) {
    throw new AppError(
      'not_found',
      `Cannot take back job "${revertedJobId}": git no longer has "${file.path}" of before`,
      {
        hint: 'git removes what nothing refers to after two weeks (gc.pruneExpire)',
      },
    )
  }
  return bytes
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof AppError && error.code === 'not_found') return null
  throw error
}

/** Takes away the file that the job made, once its bytes are in git's object store. */
async function removeAgain(
  request: RevertRequest,
  write: WriteIntent,
  ports: LandPorts,
  signal: AbortSignal,
): Promise<ChatOutcome> {
  const { file, revertedJobId, jobId, agentId } = request
  const current = await readCurrent(ports.files, file.path)
  // The job that made the file is known by its hash; a file that is gone was compared before.
  if (current.bytes === null || current.sha256 === null || current.sha256 !== write.afterSha256)
    throw changedSince(request)
  if (signal.aborted) throw new AppError('cancelled', `Cannot take back job "${revertedJobId}": the call was cancelled`)
  const { diff, truncated, insertions, deletions } = diffTexts(file.path, current.text, null)
  const change = { changed: true, diff, diffTruncated: truncated, insertions, deletions, sha256: null }
  const checks = { passed: true, ran: [], skipped: [], violations: [] }
  const reply = `Took back job ${revertedJobId}: ${file.path}, which it had made, is gone again`
  const outcome = unmodelledOutcome(reply, { ...change, checks })
  await removeFile({ file, bytes: current.bytes, sha256: current.sha256, jobId, agentId, outcome }, ports)
  return outcome
}

const changedSince = ({ file, revertedJobId }: RevertRequest): AppError =>
  new AppError('conflict', `Cannot take back job "${revertedJobId}": "${file.path}" is no longer what it wrote`, {
    hint: 'Take back the newest job first, or write the file with agent_update_file',
  })
