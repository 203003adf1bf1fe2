import { AppError } from '#shared/errors.ts'
import { DIFF_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Violation } from '#shared/schemas/check.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { KeyedLocks } from '../workspace/locks.ts'
import { type CurrentFile, type Landed, type LandPorts, type LandRequest, landFile, readCurrent } from './land.ts'
import { removeFile } from './remove.ts'

/** A file of several that belong together. */
export interface LandingPart {
  readonly file: ResolvedFile
  readonly text: string
  /** What is there now. */
  readonly before: CurrentFile
}

export interface LandAllRequest {
  /** Written in this order. */
  readonly parts: readonly LandingPart[]
  readonly dryRun: boolean
  /** The job that the last part ends, and what it will answer then. */
  readonly job: { readonly id: string; readonly outcome: () => Record<string, unknown> } | null
  /** Whose work it is; null, or left out, for nobody's. */
  readonly agentId?: string | null
  /** As in CheckRequest. */
  readonly deadline?: number
  /** What is found in a part beside the checks. */
  readonly judge?: (part: LandingPart) => Promise<readonly Violation[]>
}

export interface LandedAll {
  /** In the order of the parts. */
  readonly landed: readonly Landed[]
  /**
   * Gives every file the bytes that it had, and removes those that were not there; folders stay. Never rejects: what
   * somebody has changed meanwhile, or what cannot be written now, is left as it is.
   */
  takeBack(): Promise<TakenBack>
}

export interface TakenBack {
  readonly restored: readonly string[]
  readonly left: readonly string[]
}

/**
 * Writes several files or none. All are checked before the first byte is written; where one cannot be written after others
 * were, those are taken back. Rejects with `checks_failed` (with `files`, each with its checks, and `diff` in the details), and as
 * `landFile` does: the message then says what was taken back. A worker that is killed in between leaves what was written.
 * `ports.files` must not stop for `signal`, which is looked at before each part: what is taken back must be.
 */
export async function landAll(request: LandAllRequest, ports: LandPorts, signal: AbortSignal): Promise<LandedAll> {
  const { parts, job } = request
  const checked: Landed[] = []
  for (const part of parts) checked.push(await check(part, request, ports, signal))
  refuseFailed(parts, checked)
  const written: { part: LandingPart; landed: Landed }[] = []
  const all: LandedAll = { landed: checked, takeBack: () => takeBack(written, ports) }
  if (request.dryRun) return all
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1
    const end = isLast && job !== null ? { jobId: job.id, outcome: job.outcome } : { jobId: null }
    const landing = { ...toLanding(part, request), ...end, checks: (checked[index] as Landed).checks }
    try {
      if (signal.aborted) throw new AppError('cancelled', `Cannot write "${part.file.path}": the call was cancelled`)
      const landed = await landFile({ ...landing, dryRun: false }, ports, signal)
      if (landed.changed) written.push({ part, landed })
    } catch (error) {
      // It may be there although the write failed: its name stood before the disk was full, say.
      const now = await readCurrent(ports.files, part.file.path).catch(() => null)
      const landed = checked[index] as Landed
      if (landed.changed && now?.sha256 === landed.sha256) written.push({ part, landed })
      throw withTakenBack(error, await all.takeBack())
    }
  }
  return all
}

/** Says with a refusal what became of the files that were written before it. */
export function withTakenBack(error: unknown, { restored, left }: TakenBack): unknown {
  if (!(error instanceof AppError) || restored.length + left.length === 0) return error
  const words = [
    ...(restored.length === 0 ? [] : [`taken back: ${restored.join(', ')}`]),
    ...(left.length === 0 ? [] : [`could not be taken back: ${left.join(', ')}`]),
  ]
  return new AppError(error.code, `${error.message}; ${words.join('; ')}`, {
    cause: error,
    details: { ...error.details, taken_back: restored, left },
    ...hintOf(error, left),
  })
}

/** The hint of an error may say that nothing was written. */
function hintOf({ hint }: AppError, left: readonly string[]): { hint?: string } {
  if (left.length > 0) return { hint: 'Look at the files that could not be taken back before you call again' }
  return hint === undefined ? {} : { hint }
}

/** Runs `work` while nobody else of this worker edits these files. In the order of their keys, so that no two wait for each other. */
export async function withLocks<T>(
  files: readonly ResolvedFile[],
  locks: KeyedLocks,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const keys = [...new Set(files.map(({ key }) => key))].sort()
  const next = (at: number): Promise<T> => {
    const key = keys[at]
    return key === undefined ? work() : locks.run(key, () => next(at + 1), signal)
  }
  return next(0)
}

const toLanding = (
  { file, text, before }: LandingPart,
  { deadline, agentId = null }: LandAllRequest,
): Omit<LandRequest, 'dryRun'> => ({
  file,
  text,
  expectedSha256: before.sha256,
  jobId: null,
  agentId,
  ...(deadline === undefined ? {} : { deadline }),
})

/** What would land, with all that was found; nothing is written. */
async function check(
  part: LandingPart,
  request: LandAllRequest,
  ports: LandPorts,
  signal: AbortSignal,
): Promise<Landed> {
  const landed = await landFile({ ...toLanding(part, request), dryRun: true, mayFailChecks: true }, ports, signal)
  const more = (await request.judge?.(part)) ?? []
  if (more.length === 0) return landed
  const passed = landed.checks.passed && more.every(({ severity }) => severity !== 'error')
  return { ...landed, checks: { ...landed.checks, passed, violations: [...landed.checks.violations, ...more] } }
}

function refuseFailed(parts: readonly LandingPart[], checked: readonly Landed[]): void {
  const failed = checked.findIndex(({ checks }) => !checks.passed)
  if (failed === -1) return
  const first = checked[failed]?.checks.violations.find(({ severity }) => severity === 'error')
  const count = checked.filter(({ checks }) => !checks.passed).length
  throw new AppError(
    'checks_failed',
    `Cannot write "${parts[failed]?.file.path}": ${first?.rule}: ${first?.message}${count === 1 ? '' : ` (${count} files failed)`}`,
    {
      hint: 'Mend what the checks name and call again; no file was written',
      details: {
        files: parts.map(({ file }, index) => ({ path: file.path, checks: checked[index]?.checks })),
        ...joinDiffs(checked),
      },
    },
  )
}

/** The diffs of several files as one; cut at a file where it would grow too long. */
export function joinDiffs(landed: readonly Landed[]): { diff: string; diff_truncated: boolean } {
  let diff = ''
  let isCut = false
  for (const each of landed) {
    const isTooLong = diff !== '' && Buffer.byteLength(diff) + Buffer.byteLength(each.diff) > DIFF_BYTES_MAX
    isCut ||= isTooLong || each.diffTruncated
    if (!isTooLong) diff += each.diff
  }
  return { diff, diff_truncated: isCut }
}

async function takeBack(
  written: readonly { part: LandingPart; landed: Landed }[],
  ports: LandPorts,
): Promise<TakenBack> {
  const restored: string[] = []
  const left: string[] = []
  for (const { part, landed } of written.toReversed()) {
    try {
      await restore(part, landed, ports)
      restored.push(part.file.path)
    } catch {
      // Whatever the reason is, the others are still to be taken back, and the answer names this one.
      left.push(part.file.path)
    }
  }
  return { restored, left }
}

/** Not stopped by a call that was cancelled: half of a template is what must not stay. */
async function restore({ file, text, before }: LandingPart, { sha256 }: Landed, ports: LandPorts): Promise<void> {
  if (before.text === null) {
    const bytes = new TextEncoder().encode(text)
    await removeFile({ file, bytes, sha256, jobId: null, agentId: null, outcome: null }, ports)
    return
  }
  const landing = { file, text: before.text, expectedSha256: sha256, dryRun: false, mayFailChecks: true, jobId: null }
  // The bytes of before need no verdict, and there may be no time for one.
  const checks = { passed: true, ran: [], skipped: [], violations: [] }
  await landFile({ ...landing, checks }, ports, new AbortController().signal)
}
