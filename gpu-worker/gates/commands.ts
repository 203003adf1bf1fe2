import type { Violation } from '#shared/schemas/check.ts'
import type { CommandLine, CommandOutcome, CommandRunner } from '../ports/command-runner.ts'
import type { CheckRequest } from '../ports/file-checker.ts'
import { isNoWorse, toMessage, toShown } from './command-message.ts'
import { type CommandSettings, SETTINGS_PATH } from './settings.ts'

/** What became of the commands that apply to a file. */
export interface CommandVerdicts {
  readonly ran: readonly string[]
  readonly skipped: readonly { readonly rule: string; readonly reason: string }[]
  readonly violations: readonly Violation[]
}

export interface CommandGates {
  /**
   * Runs the commands on a text that has passed everything else, in the order of the configuration, up to the first that
   * refuses it. A required command that cannot run refuses the file: unchecked is not passed. Rejects with `cancelled`.
   */
  judge(request: CheckRequest, commands: readonly CommandSettings[], signal?: AbortSignal): Promise<CommandVerdicts>
  /** Says for each command why it did not run. */
  pass(request: CheckRequest, commands: readonly CommandSettings[], reason: string): CommandVerdicts
  /** The required commands of a file, as lines for the prompt. */
  describe(path: string, commands: readonly CommandSettings[]): string[]
  /** The first required command of a file that cannot run here; null where all can. */
  obstacle(path: string, commands: readonly CommandSettings[]): Promise<Violation | null>
}

/** What is left of a call for its answer, and for the write. */
const RESERVE_MS = 2000

const ruleOf = ({ name }: CommandSettings): string => `command:${name}`

const applying = (path: string, commands: readonly CommandSettings[]): CommandSettings[] =>
  commands.filter(({ matches, weight }) => matches(path) && weight !== 'off')

const lineFor = ({ run: [program, ...rest] }: CommandSettings, path: string): CommandLine => {
  const fill = (text: string): string => text.replaceAll('{file}', () => path)
  return [fill(program), ...rest.map(fill)]
}

/** Why a command cannot judge a file here; null where it can. */
async function findObstacle(
  runner: CommandRunner,
  path: string,
  command: CommandSettings,
  line: CommandLine,
): Promise<string | null> {
  const scratch = command.scratchFolders.find((folder) => path === folder || path.startsWith(`${folder}/`))
  if (scratch !== undefined)
    return `it would not see the file, which lies in its scratch folder ${scratch}: a person names other scratch folders or other files`
  return runner.obstacle(line)
}

/** For the operator: each required command that cannot run here whatever the file, and why. */
export async function commandNotices(
  runner: CommandRunner,
  commands: readonly CommandSettings[],
): Promise<readonly string[]> {
  const notices: string[] = []
  for (const { name, run, weight } of commands) {
    if (weight !== 'error') continue
    const obstacle = await runner.obstacle(run)
    if (obstacle !== null && !run[0].includes('{file}'))
      notices.push(
        `The command "${name}", which ${SETTINGS_PATH} requires, cannot run, so its files are refused: ${obstacle}`,
      )
  }
  return notices
}

export function createCommandGates(runner: CommandRunner): CommandGates {
  async function judgeOne(
    request: CheckRequest,
    command: CommandSettings,
    signal: AbortSignal | undefined,
  ): Promise<CommandVerdicts> {
    const line = lineFor(command, request.path)
    const obstacle = await findObstacle(runner, request.path, command, line)
    if (obstacle !== null) return cannotRun(command, line, obstacle)
    const leftMs =
      request.deadline === undefined ? Number.POSITIVE_INFINITY : request.deadline - Date.now() - RESERVE_MS
    if (leftMs <= 0) return cannotRun(command, line, noTime(command, leftMs))
    const run = {
      commandLine: line,
      scratchFolders: command.scratchFolders,
      timeoutMs: Math.min(command.timeoutMs, leftMs),
    }
    const candidates = [{ path: request.path, text: request.text }]
    const outcome = await runner.run({ ...run, candidates }, signal)
    const rule = ruleOf(command)
    const ran = [runner.isSandboxed ? rule : `${rule} (without a sandbox)`]
    if (outcome.kind === 'ended' && outcome.status === 0) return { ran, skipped: [], violations: [] }
    // Stopped by the call's end and not by its own limit: that says nothing about the file.
    if (outcome.kind === 'stopped' && outcome.why === 'time' && run.timeoutMs < command.timeoutMs)
      return cannotRun(command, line, noTime(command, run.timeoutMs))
    const isOld = await failedBefore(request, command, run, outcome, signal)
    const severity = command.weight === 'error' && !isOld ? 'error' : 'warning'
    const message = `${isOld ? 'As before the change: ' : ''}${toMessage(line, outcome)}`
    return { ran, skipped: [], violations: [{ rule, severity, message, line: null, column: null }] }
  }

  /** A repository whose tests fail already must not stop every change: the same failure is old. */
  async function failedBefore(
    { before, deadline }: CheckRequest,
    command: CommandSettings,
    run: Omit<Parameters<CommandRunner['run']>[0], 'candidates'>,
    outcome: CommandOutcome,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (outcome.kind !== 'ended') return false
    // Without the file it would fail for that alone.
    if (before === null && command.run.some((each) => each.includes('{file}'))) return false
    const leftMs = deadline === undefined ? run.timeoutMs : Math.min(run.timeoutMs, deadline - Date.now() - RESERVE_MS)
    if (leftMs <= 0) return false
    return isNoWorse(outcome, await runner.run({ ...run, candidates: [], timeoutMs: leftMs }, signal))
  }

  return {
    async judge(request, commands, signal) {
      const all: CommandVerdicts[] = []
      const asked = applying(request.path, commands)
      for (const [index, command] of asked.entries()) {
        const verdict = await judgeOne(request, command, signal)
        all.push(verdict)
        if (!verdict.violations.some(({ severity }) => severity === 'error')) continue
        all.push(toSkipped(asked.slice(index + 1), `${ruleOf(command)} failed first`))
        break
      }
      return join([...all, switchedOff(request.path, commands)])
    },

    pass: ({ path }, commands, reason) =>
      join([toSkipped(applying(path, commands), reason), switchedOff(path, commands)]),

    describe: (path, commands) =>
      required(path, commands).map((each) => `\`${toShown(lineFor(each, path))}\` succeeds`),

    async obstacle(path, commands) {
      for (const command of required(path, commands)) {
        const line = lineFor(command, path)
        const obstacle = await findObstacle(runner, path, command, line)
        if (obstacle !== null) return cannotRun(command, line, obstacle).violations[0] ?? null
      }
      return null
    },
  }
}

const required = (path: string, commands: readonly CommandSettings[]): CommandSettings[] =>
  applying(path, commands).filter(({ weight }) => weight === 'error')

/** A required command refuses, since nobody may take the file for checked; another is only left out. */
function cannotRun(command: CommandSettings, line: CommandLine, obstacle: string): CommandVerdicts {
  const rule = ruleOf(command)
  if (command.weight !== 'error') return { ran: [], skipped: [{ rule, reason: obstacle }], violations: [] }
  const message = `\`${toShown(line)}\`, which ${SETTINGS_PATH} requires, could not run: ${obstacle}`
  return { ran: [], skipped: [], violations: [{ rule, severity: 'error', message, line: null, column: null }] }
}

function noTime({ timeoutMs }: CommandSettings, leftMs: number): string {
  const had = `${Math.max(0, Math.floor(leftMs / 1000))} s`
  return (
    `it did not end in the ${had} that this call had left, and may take ${timeoutMs / 1000} s. ` +
    'Give the change to an agent with chat_with_agent, which has the time; or a person makes it faster or a warning'
  )
}

const toSkipped = (commands: readonly CommandSettings[], reason: string): CommandVerdicts => ({
  ran: [],
  skipped: commands.map((command) => ({ rule: ruleOf(command), reason })),
  violations: [],
})

const switchedOff = (path: string, commands: readonly CommandSettings[]): CommandVerdicts =>
  toSkipped(
    commands.filter(({ matches, weight }) => weight === 'off' && matches(path)),
    `switched off in ${SETTINGS_PATH}`,
  )

const join = (verdicts: readonly CommandVerdicts[]): CommandVerdicts => ({
  ran: verdicts.flatMap(({ ran }) => ran),
  skipped: verdicts.flatMap(({ skipped }) => skipped),
  violations: verdicts.flatMap(({ violations }) => violations),
})
