import { AppError } from '#shared/errors.ts'
import type { CommandRunner } from '../ports/command-runner.ts'

/** For a system on which no command can run: says why, and what the operator has to do. */
export function createNoCommandRunner(reason: string): CommandRunner {
  return {
    isSandboxed: true,
    obstacle: async () => reason,
    run: async () => {
      throw new AppError('unavailable', `Cannot run a command: ${reason}`)
    },
  }
}
