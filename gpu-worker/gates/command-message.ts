import type { CommandLine, CommandOutcome } from '../ports/command-runner.ts'
import { createBag } from './bag.ts'

/** A command as a person types it. For reading only: nothing runs it. */
export const toShown = (line: CommandLine): string =>
  line.map((each) => (/^[\w@%+=:,./{}-]+$/.test(each) ? each : `'${each.replaceAll("'", "'\\''")}'`)).join(' ')

/** What a failed command means, for the model that wrote the file: what ran, how it ended, what it said, what to do. */
export function toMessage(line: CommandLine, outcome: CommandOutcome): string {
  const shown = `\`${toShown(line)}\``
  const end =
    outcome.kind === 'ended'
      ? `${shown} failed with exit status ${outcome.status}`
      : `${shown} was stopped: ${outcome.limit}`
  const output = outcome.output.trim()
  if (output === '') return `${end} and printed nothing: find what in the file makes it fail, and mend that`
  const indented = output.replaceAll(/^(?=.)/gm, '    ')
  return `${end}: mend the file so that it passes. It printed:\n${indented}`
}

/**
 * Whether a failure is the one of before: it ended in the same way, and printed no line that it did not print before, as
 * often. Numbers do not count, since lines move and times differ.
 */
export function isNoWorse(now: CommandOutcome, before: CommandOutcome): boolean {
  if (now.kind !== 'ended' || before.kind !== 'ended' || now.status !== before.status) return false
  const known = createBag(linesOf(before))
  return linesOf(now).every((line) => known.take(line))
}

const linesOf = ({ output }: CommandOutcome): string[] =>
  output
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replaceAll(/0x[0-9a-f]+/gi, '#')
        .replaceAll(/\d+/g, '#'),
    )
    .filter((line) => line !== '')
