import { AppError } from '#shared/errors.ts'
import { type HookPorts, runHooks } from '../hooks/run-hooks.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { parseRepositoryPath, type RepositoryPath } from '../workspace/repository-path.ts'
import type { JobHandlers } from './handler.ts'

export interface HookToolPorts extends HookPorts {
  readonly files: FileTree
}

export function createHookTools(ports: HookToolPorts): JobHandlers<'run_pre_commit'> {
  return {
    async run_pre_commit(input, { signal, onProgress }) {
      const paths =
        input.paths === undefined
          ? null
          : await Promise.all(input.paths.map((each) => toRepositoryPath(ports.files, each)))
      const { hooks, notices, ...report } = await runHooks(ports, { paths }, { signal, onProgress })
      return { ...report, hooks: [...hooks], notices: [...notices] }
    },
  }
}

/** Where a path leads; a folder stands for all that is in it. Rejects as FileTree.resolve does. */
async function toRepositoryPath(files: FileTree, text: string): Promise<RepositoryPath> {
  try {
    return (await files.resolve(text, 'read')).path
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_input') return parseRepositoryPath(text)
    throw error
  }
}
