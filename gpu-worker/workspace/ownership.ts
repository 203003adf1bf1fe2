import { AppError } from '#shared/errors.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'
import type { FileTree, ResolvedFile } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'

/**
 * Refuses with `not_owner` unless this caller may change this file now: a managed file changes only through its agent,
 * and an agent changes only its file. Asks the registry each time, so an agent made a moment ago counts.
 */
export async function requireMayChange(
  file: ResolvedFile,
  agent: ActingAgent | null,
  registry: Registry,
): Promise<void> {
  const owner = (await registry.findOwners([file.key])).get(file.key)
  if (agent === null) {
    if (owner === undefined) return
    throw new AppError('not_owner', `Cannot change "${file.path}": it is managed by agent ${owner}`, {
      hint: `Pass agent_id "${owner}", or give the agent a task with chat_with_agent`,
    })
  }
  if (owner === agent.agent_id) return
  throw new AppError(
    'not_owner',
    owner === undefined
      ? `Cannot change "${file.path}" as agent ${agent.agent_id}: the agent does not manage it`
      : `Cannot change "${file.path}" as agent ${agent.agent_id}: it is managed by agent ${owner}`,
    { hint: `Agent ${agent.agent_id} manages "${agent.managed_file}" only` },
  )
}

/**
 * The same files, but each write and removal asks for ownership once more, right before it happens: the last judge.
 * A job whose agent was deleted meanwhile, or whose `signal` is aborted, changes nothing.
 */
export function createOwnedFileTree(
  files: FileTree,
  registry: Registry,
  agent: ActingAgent | null,
  signal: AbortSignal,
): FileTree {
  async function judge(file: ResolvedFile): Promise<void> {
    await requireMayChange(file, agent, registry)
    if (signal.aborted) throw new AppError('cancelled', `Cannot change "${file.path}": the call was cancelled`)
  }
  return {
    resolve: (text, use) => files.resolve(text, use),
    read: (text, bytesMax) => files.read(text, bytesMax),
    walk: (text, after) => files.walk(text, after),
    sweep: () => files.sweep(),
    async write(file, bytes, expectedSha256) {
      await judge(file)
      await files.write(file, bytes, expectedSha256)
    },
    async remove(file, expectedSha256) {
      await judge(file)
      await files.remove(file, expectedSha256)
    },
  }
}
