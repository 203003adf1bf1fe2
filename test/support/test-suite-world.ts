import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bubblewrap } from '#gpu-worker/adapters/bubblewrap-probe.ts'
import { createBubblewrapRunner } from '#gpu-worker/adapters/bubblewrap-runner.ts'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import type { CommandRunner } from '#gpu-worker/ports/command-runner.ts'
import type { TestSuite } from '#gpu-worker/ports/test-suite.ts'
import { createTestSuite } from '#gpu-worker/runs/test-suite.ts'
import { createProtectedPaths } from '#gpu-worker/workspace/protected-paths.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

export interface TestSuiteWorld {
  readonly repository: TempRepository
  readonly suite: TestSuite
  /** The same repository with another way to run commands. */
  suiteWith(runner: CommandRunner): Promise<TestSuite>
  /** A folder outside the repository. */
  readonly workFolder: string
  readonly runner: CommandRunner
}

/** The tests of a temporary repository in the real sandbox, which sees these folders of the machine beside the system's. */
export async function createTestSuiteWorld(
  bubblewrap: Bubblewrap,
  contents: Record<string, string>,
  folders: readonly string[] = [],
): Promise<TestSuiteWorld> {
  const repository = await createTempRepository(contents)
  const workFolder = join(repository.folder, 'work')
  mkdirSync(workFolder)
  const { root } = repository
  const protectedPaths = createProtectedPaths()
  const hiddenFolders = [workFolder]
  const runner = createBubblewrapRunner({ bubblewrap, root, protectedPaths, workFolder, folders, hiddenFolders })
  const files = await createNodeFileTree({ root })
  const settings = createSettingsSource(files)
  const suiteWith = async (other: CommandRunner): Promise<TestSuite> =>
    createTestSuite({ files, runner: other, settings, list: () => files.walk('', null) })
  return { repository, suite: await suiteWith(runner), suiteWith, workFolder, runner }
}
