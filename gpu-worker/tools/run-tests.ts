import { AppError } from '#shared/errors.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { TestSuite } from '../ports/test-suite.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import type { JobHandlers } from './handler.ts'

export interface TestToolPorts {
  readonly files: FileTree
  readonly tests: TestSuite
}

export function createTestTools({ files, tests }: TestToolPorts): JobHandlers<'run_tests'> {
  return {
    async run_tests({ paths }, { signal, onProgress }) {
      const asked = paths === undefined ? null : await Promise.all(paths.map((path) => toPath(files, path)))
      const run = await tests.run({ paths: asked, candidates: [] }, signal, onProgress)
      const { passed, failed, skipped, failures, duration_ms, output, sandboxed } = run
      const runners = run.runners.map(({ output: _output, command, ...runner }) => ({
        ...runner,
        command: cutList(command),
      }))
      return { passed, failed, skipped, failures: [...failures], runners, duration_ms, output, sandboxed }
    },
  }
}

/** A runner may be given its test files one by one. */
const ARGUMENTS_SHOWN = 40
const cutList = (list: readonly string[]): string[] =>
  list.length <= ARGUMENTS_SHOWN
    ? [...list]
    : [...list.slice(0, ARGUMENTS_SHOWN), `... and ${list.length - ARGUMENTS_SHOWN} more`]

/** Where a caller's text leads, to a file or a folder that may be read. */
async function toPath(files: FileTree, text: string): Promise<string> {
  const path = parseRepositoryPath(text)
  try {
    return (await files.resolve(text, 'read')).path
  } catch (error) {
    // A usable path that is no file may be a folder. The suite sees what is in it, and refuses what is neither.
    if (error instanceof AppError && error.code === 'invalid_input') return path
    throw error
  }
}
