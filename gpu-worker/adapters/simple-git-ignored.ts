import { toGitError } from './simple-git-errors.ts'
import { splitNul } from './simple-git-parse.ts'
import type { GitRun } from './simple-git-run.ts'

/** Which of these paths git ignores. A tracked path is never ignored, whatever the patterns say. */
export async function findIgnored<Path extends string>(
  run: GitRun,
  paths: readonly Path[],
  action: string,
): Promise<Set<Path>> {
  if (paths.length === 0) return new Set()
  // Behind `./` nothing is pathspec magic; the command compares names and expands no pattern.
  const input = Buffer.from(paths.map((path) => `./${path}\0`).join(''))
  const output = await run(['check-ignore', '-z', '--stdin'], { input })
  if (output.exitCode === 1) return new Set()
  if (output.exitCode !== 0 || output.cut) throw toGitError(action, output)
  const found = new Set(splitNul(output.stdout))
  return new Set(paths.filter((path) => found.has(`./${path}`)))
}
