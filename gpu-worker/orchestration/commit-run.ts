import { AppError } from '#shared/errors.ts'
import { readCurrent } from '../agent/land.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { changeStep, type Run, tell } from './run.ts'

/**
 * Commits what was kept, one commit for each file, with the steps that it holds. A file that is no longer as the last of its
 * steps left it is somebody's to look at, and is not committed. Rejects with `cancelled` between two commits.
 */
export async function commitRun(run: Run): Promise<void> {
  for (const [path, positions] of writtenFiles(run)) {
    if (run.options.signal.aborted) throw new AppError('cancelled', 'Cannot go on: the job was stopped')
    tell(run, 'writing', `Committing ${path}`)
    try {
      const hash = await commitFile(run, path, positions)
      for (const at of positions) changeStep(run, at, { commit: hash }, 'after')
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'cancelled') throw error
      for (const at of positions) {
        const note = `${run.steps[at]?.note ?? ''} (not committed: ${error.message})`
        changeStep(run, at, { note }, 'after')
      }
    }
  }
}

/** The files that kept steps wrote, with the positions of those that no commit holds yet. */
function writtenFiles({ steps, ports }: Run): Map<RepositoryPath, number[]> {
  const files = new Map<RepositoryPath, number[]>()
  for (const [at, step] of steps.entries()) {
    if (step.state !== 'kept' || step.commit !== null) continue
    const path = ports.journal.writesOf(step.step_id).at(-1)?.path
    if (path !== undefined) files.set(path, [...(files.get(path) ?? []), at])
  }
  return files
}

/** Null where there is nothing to commit: a commit that was made right before the worker was killed. */
async function commitFile(run: Run, path: RepositoryPath, positions: readonly number[]): Promise<string | null> {
  const { ports, job } = run
  const steps = positions.flatMap((at) => run.steps[at] ?? [])
  const last = steps.flatMap(({ step_id }) => ports.journal.writesOf(step_id)).at(-1)
  if ((await readCurrent(ports.files, path)).sha256 !== last?.afterSha256) {
    throw new AppError('conflict', `"${path}" has been changed since`)
  }
  if (!(await ports.repository.changed([path])).has(path)) return null
  const lines = steps.map(({ action, why }) => `- ${action}: ${why}`)
  const agent = steps.at(-1)?.agent_id
  const { commit } = await ports.repository.commit({
    message: `Improve ${path}\n\n${lines.join('\n')}`,
    paths: [path],
    trailers: [
      ...(agent == null ? [] : [{ token: 'Millwright-Agent', value: agent }]),
      { token: 'Millwright-Job', value: job.jobId },
    ],
  })
  return commit
}
