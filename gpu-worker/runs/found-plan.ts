import type { CommandLine } from '../ports/command-runner.ts'
import type { TestRunnerName } from '../ports/test-suite.ts'
import { isWithin } from './folders.ts'
import { runnerKinds } from './kinds.ts'
import type { RunnerPlan } from './plan.ts'

/** Half of what a job has. A test suite that takes longer is configured. */
const TIMEOUT_MS_DEFAULT = 10 * 60 * 1000

export interface Found {
  readonly runner: TestRunnerName
  readonly folder: string
  readonly because: string
  readonly run: CommandLine
  readonly flags?: readonly string[]
  readonly everything?: readonly string[]
  readonly testFiles?: readonly string[]
  readonly scratchFolders?: readonly string[]
}

/** How a runner is run that was found in a folder. */
export function toPlan({
  runner,
  folder,
  because,
  run,
  flags,
  everything,
  testFiles,
  scratchFolders,
}: Found): RunnerPlan {
  const { files } = runnerKinds[runner]
  return {
    name: folder === '' ? runner : `${runner} in ${folder}`,
    runner,
    folder,
    because,
    run,
    flags: flags ?? [],
    everything: everything ?? [],
    testFiles: testFiles ?? null,
    takes: (path) => files.test(path) && isWithin(path, folder),
    timeoutMs: TIMEOUT_MS_DEFAULT,
    scratchFolders: scratchFolders ?? [],
  }
}
