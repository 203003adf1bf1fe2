import type * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { FileState, PrepareAgent } from '#shared/protocol/worker-calls.ts'
import type { ModelSet } from '../inference/model-set.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { countLines, decodeText } from '../workspace/text.ts'

/** Says which file an agent would own. Refuses what no agent could work on: protected, binary, too large, not a file. */
export async function prepareAgent(
  files: FileTree,
  models: ModelSet,
  input: v.InferOutput<typeof PrepareAgent.input>,
): Promise<v.InferOutput<typeof PrepareAgent.output>> {
  if (input.model !== null) await models.requireKnown(input.model)
  const file = await files.resolve(input.managed_file, 'write')
  if (file.exists) {
    const { bytes } = await files.read(file.path, FILE_BYTES_MAX)
    decodeText(file.path, bytes)
  }
  return { path: file.path, file_key: file.key }
}

/** Whether a file is there, and which version. */
export async function fileState(
  files: FileTree,
  input: v.InferOutput<typeof FileState.input>,
): Promise<v.InferOutput<typeof FileState.output>> {
  try {
    const { path, bytes, sha256 } = await files.read(input.path, FILE_BYTES_MAX)
    return { exists: true, line_count: countLines(decodeText(path, bytes)), sha256 }
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found')
      return { exists: false, line_count: null, sha256: null }
    throw error
  }
}
