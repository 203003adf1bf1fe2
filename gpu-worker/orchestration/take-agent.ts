import { AppError } from '#shared/errors.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import { agentForFile } from './agent-for-file.ts'
import type { Run } from './run.ts'

/** The agent that owns the file, or the one that is made for it. Rejects with `cancelled` where the job is another worker's now. */
export async function takeAgent(
  { ports, job, record }: Run,
  file: ResolvedFile,
): Promise<{ readonly agent: ActingAgent; readonly made: boolean }> {
  try {
    return await ports.agents.take(job, agentForFile(job.jobId, file), { keep: record.keep_agents })
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'conflict') throw cause
    throw new AppError('cancelled', 'Cannot go on with the job: it is another worker’s', { cause })
  }
}
