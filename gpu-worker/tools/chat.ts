import { AppError } from '#shared/errors.ts'
import type { ChatJobArgs, ChatJobResult, Proposal } from '#shared/protocol/chat-job.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { ChatOutcome } from '#shared/tools/agents.ts'
import { hashBytes, type Landed, landFile } from '../agent/land.ts'
import { runAgentTask } from '../agent/loop.ts'
import { revertJob } from '../agent/revert.ts'
import { unmodelledOutcome } from '../agent/unmodelled-outcome.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { ModelSet } from '../inference/model-set.ts'
import type { FileTree, ResolvedFile } from '../ports/file-tree.ts'
import { createOwnedFileTree, requireMayChange } from '../workspace/ownership.ts'
import { decodeText } from '../workspace/text.ts'
import { requireAgent } from './agent-files.ts'
import type { FileToolPorts } from './files.ts'
import type { JobContext } from './handler.ts'

export interface ChatPorts extends FileToolPorts {
  readonly models: ModelSet
  readonly settings: SettingsSource
}

/** Does the task of a chat job: through the model, by writing what was proposed, or by taking back what a job wrote. */
export async function runChatJob(ports: ChatPorts, args: ChatJobArgs, context: JobContext): Promise<ChatJobResult> {
  const agent = requireAgent(context)
  // The record's path is parsed again: the last judge trusts no store.
  const file = await ports.files.resolve(agent.managed_file, 'write')
  await requireMayChange(file, agent, ports.registry)
  const files = createOwnedFileTree(ports.files, ports.registry, agent, context.signal)
  return doTask({ ...ports, files }, args, context, file)
}

async function doTask(
  ports: ChatPorts,
  args: ChatJobArgs,
  context: JobContext,
  file: ResolvedFile,
): Promise<ChatJobResult> {
  if (args.revert !== undefined) {
    context.onProgress({
      phase: 'writing',
      round: 1,
      tokens: 0,
      message: `Taking back what was written to ${file.path}`,
    })
    const agentId = requireAgent(context).agent_id
    const request = { file, revertedJobId: args.revert, jobId: context.jobId, agentId }
    return revertJob(request, ports, context.signal)
  }
  return args.accept === undefined ? work(ports, args, context, file) : accept(ports, args.proposal, context, file)
}

async function work(
  ports: ChatPorts,
  args: ChatJobArgs,
  context: JobContext,
  file: ResolvedFile,
): Promise<ChatJobResult> {
  const agent = requireAgent(context)
  const { outcome, proposal } = await runAgentTask(
    {
      mode: args.mode ?? 'edit',
      agent,
      file,
      context: args.context ?? {},
      message: args.message,
      history: context.history,
      jobId: context.jobId,
    },
    { ...ports, model: await ports.models.pick(agent.model) },
    { signal: context.signal, onProgress: context.onProgress },
  )
  return { ...outcome, ...(proposal === null ? {} : { proposal }) }
}

/** Writes exactly the proposed bytes, if the file is still the one that they were made for. */
async function accept(
  ports: FileToolPorts & { readonly files: FileTree },
  proposal: Proposal | undefined,
  context: JobContext,
  file: ResolvedFile,
): Promise<ChatJobResult> {
  if (proposal === undefined || (await ports.files.resolve(proposal.path, 'write')).key !== file.key) {
    throw new AppError('not_found', `Cannot accept the proposal: it is none for "${file.path}"`, {
      hint: 'Ask for a new one with mode "propose"',
    })
  }
  const bytes = await ports.repository.readBlob(proposal.blob)
  if (bytes.byteLength > FILE_BYTES_MAX || hashBytes(bytes) !== proposal.sha256) {
    throw new AppError(
      'conflict',
      `Cannot accept the proposal for "${file.path}": its bytes are not those that were proposed`,
      {
        hint: 'Ask for a new one with mode "propose"',
      },
    )
  }
  context.onProgress({ phase: 'writing', round: 1, tokens: 0, message: `Writing ${file.path}` })
  const toOutcome = (landed: Landed): ChatOutcome =>
    unmodelledOutcome(`Wrote the proposal to ${file.path}: +${landed.insertions} -${landed.deletions}`, landed)
  const landed = await landFile(
    {
      file,
      text: decodeText(file.path, bytes),
      expectedSha256: proposal.base_sha256,
      dryRun: false,
      jobId: context.jobId,
      agentId: requireAgent(context).agent_id,
      outcome: toOutcome,
    },
    ports,
    context.signal,
  )
  return toOutcome(landed)
}
