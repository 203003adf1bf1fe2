import { AppError } from '#shared/errors.ts'
import { toMessage } from '../gates/command-message.ts'
import type { CommandSettings } from '../gates/settings.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

/** What became of a step that ran when the files were there. */
export interface StepOutcome {
  readonly name: string
  /** Null where it did not run; `message` says why. */
  readonly passed: boolean | null
  /** Empty where it passed. */
  readonly message: string
}

/** What is left of a call for taking the files back, and for its answer. */
const RESERVE_MS = 3000

/** The commands of a template's steps, in order. Rejects with `invalid_input` for a name that `millwright.json` does not have. */
export function findSteps(after: readonly string[], commands: readonly CommandSettings[]): readonly CommandSettings[] {
  return after.map((name) => {
    const command = commands.find((each) => each.name === name)
    if (command !== undefined) return command
    throw new AppError(
      'invalid_input',
      `Cannot use the template: its step "${name}" is no command of millwright.json`,
      {
        hint: 'A person adds the command under checks.commands, or takes the step out of the template',
      },
    )
  })
}

/**
 * Runs a step on the repository as it now is, in the sandbox: once, or for each file where it names `{file}`. Of the files
 * only those that the command is for. Rejects as CommandRunner does.
 */
export async function runStep(
  command: CommandSettings,
  paths: readonly RepositoryPath[],
  runner: CommandRunner,
  { deadline, signal }: { deadline?: number | undefined; signal: AbortSignal },
): Promise<StepOutcome> {
  const { name, run, weight, matches } = command
  if (weight === 'off') return { name, passed: null, message: 'switched off in millwright.json' }
  const own = paths.filter(matches)
  if (own.length === 0) return { name, passed: null, message: 'it is for none of the files' }
  const isForEach = run.some((part) => part.includes('{file}'))
  for (const path of isForEach ? own : own.slice(0, 1)) {
    const fill = (text: string): string => text.replaceAll('{file}', () => path)
    const [program, ...rest] = run
    const line = [fill(program), ...rest.map(fill)] as const
    const obstacle = await runner.obstacle(line)
    if (obstacle !== null) return { name, passed: false, message: `could not run: ${obstacle}` }
    const leftMs = deadline === undefined ? command.timeoutMs : deadline - Date.now() - RESERVE_MS
    if (leftMs <= 0) return { name, passed: false, message: 'could not run: the call had no time left' }
    const request = { commandLine: line, candidates: [], scratchFolders: command.scratchFolders }
    const outcome = await runner.run({ ...request, timeoutMs: Math.min(command.timeoutMs, leftMs) }, signal)
    if (outcome.kind === 'ended' && outcome.status === 0) continue
    return { name, passed: false, message: toMessage(line, outcome) }
  }
  return { name, passed: true, message: '' }
}
