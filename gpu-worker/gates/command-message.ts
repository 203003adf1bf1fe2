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
 * Whether a failure is the one of before: it ended in the same way, printed no line that it did not print before, as
 * often, and counts no more errors. Other numbers do not count, since lines move and times differ. What was too long to
 * be compared is not the same.
 */
export function isNoWorse(now: CommandOutcome, before: CommandOutcome): boolean {
  if (now.kind !== 'ended' || before.kind !== 'ended' || now.status !== before.status) return false
  if (now.whole === null || before.whole === null || countsMore(now.whole, before.whole)) return false
  const known = createBag(linesOf(before.whole))
  return linesOf(now.whole).every((line) => known.take(line))
}

const linesOf = (output: string): string[] =>
  output
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replaceAll(/0x[0-9a-f]+/gi, '#')
        .replaceAll(/\d+/g, '#'),
    )
    .filter((line) => line !== '')

/** Whether an output itself calls a larger number of anything wrong. */
function countsMore(now: string, before: string): boolean {
  const known = countErrors(before)
  return [...countErrors(now)].some(([what, count]) => count > (known.get(what) ?? 0))
}

/** `3 failed`, `12 problems`, `failures=2`, by how the word begins. Places (`7:12 error`) are no numbers of errors. */
function countErrors(output: string): ReadonlyMap<string, number> {
  const patterns = [
    /(?<![\d:.#,-])(?<count>\d+) (?:\w+ )?(?<what>err|fail|prob|warn|issu)(?:ors?|ed|ures?|lems?|ings?|es?)\b/gi,
    /\b(?<what>err|fail)(?:ors?|ures?|ed) ?[:=] ?(?<count>\d+)/gi,
  ]
  const counts = new Map<string, number>()
  for (const { groups } of patterns.flatMap((pattern) => [...output.matchAll(pattern)])) {
    const what = groups?.what?.toLowerCase() ?? ''
    counts.set(what, (counts.get(what) ?? 0) + Number(groups?.count))
  }
  return counts
}
