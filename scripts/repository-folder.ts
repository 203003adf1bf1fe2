import { execFileSync } from 'node:child_process'
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

export interface RepositoryChoice {
  /** The real path of the repository's top folder. */
  readonly path: string
  /** What a person should know about the choice, a sentence each. */
  readonly notes: readonly string[]
}

const WHAT_TO_PASS = 'pass your project: npm start -- --repo /path/to/your/project'

/**
 * The repository to serve: the one that was named, else the one around the folder in which the command was given.
 * Throws an Error that says what to pass.
 */
export function chooseRepository(
  given: string | undefined,
  userFolder: string,
  projectFolder: string,
): RepositoryChoice {
  const folder = resolve(userFolder, given ?? '.')
  const top = findTopFolder(folder, given !== undefined)
  const notes: string[] = []
  if (given !== undefined && top !== realpathSync(folder)) {
    notes.push(`${folder} lies in the repository ${top}: serving the whole of it`)
  }
  // npm runs in Millwright's own folder, so this is what a first `npm start` means, and it must not happen unnoticed.
  if (given === undefined && top === realpathSync(projectFolder)) {
    notes.push(`No --repo given: serving Millwright's own repository, ${top}. To serve yours, ${WHAT_TO_PASS}`)
  } else if (given === undefined) {
    notes.push(`No --repo given: serving ${top}`)
  }
  return { path: top, notes }
}

function findTopFolder(folder: string, named: boolean): string {
  const what = named ? `Cannot use --repo ${folder}` : `Cannot choose a repository: no --repo was given, and ${folder}`
  const kind = statSync(folder, { throwIfNoEntry: false })
  if (kind === undefined) throw new Error(`${what}: it does not exist`)
  if (!kind.isDirectory()) throw new Error(`${what}: it is not a folder`)
  let answer: string
  try {
    answer = git(folder, 'rev-parse', '--is-bare-repository', '--is-inside-work-tree')
  } catch (cause) {
    throw new Error(`${what}${named ? ':' : ''} ${explainGit(cause, named)}`, { cause })
  }
  if (answer === 'true\nfalse') {
    throw new Error(`${what}${named ? ':' : ''} is a bare repository, without files; pass a clone of it with --repo`)
  }
  if (!answer.endsWith('true')) throw new Error(`${what}${named ? ':' : ''} lies inside a .git folder; ${WHAT_TO_PASS}`)
  return realpathSync(git(folder, 'rev-parse', '--show-toplevel'))
}

function git(folder: string, ...args: string[]): string {
  // A hook or an editor may have left variables that point git at another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd()
}

function explainGit(cause: unknown, named: boolean): string {
  if (!(cause instanceof Error)) return String(cause)
  if ('code' in cause && cause.code === 'ENOENT') return 'cannot be looked at, since git is not installed'
  const said = 'stderr' in cause ? String(cause.stderr).trim() : cause.message
  if (said.includes('not a git repository')) {
    return `is not in a git repository; ${named ? 'make one there with: git init' : WHAT_TO_PASS}`
  }
  return `git refuses: ${said}`
}
