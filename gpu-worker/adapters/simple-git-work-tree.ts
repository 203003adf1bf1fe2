import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { WorkTree } from '../ports/repository.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { parseRepositoryPath, type RepositoryPath } from '../workspace/repository-path.ts'
import { isTempFileName } from '../workspace/temp-files.ts'
import { toGitError } from './simple-git-errors.ts'
import type { RepositoryIdentity } from './simple-git-identity.ts'
import { splitNul } from './simple-git-parse.ts'
import type { GitRun } from './simple-git-run.ts'

export interface WorkTreeContext {
  readonly run: GitRun
  readonly identity: RepositoryIdentity
  readonly overrides: ReadonlyMap<string, string>
  readonly protectedPaths: ProtectedPaths
  /** The last commit, or the empty tree. */
  readonly base: string
}

type WorkTreeFile = WorkTree['files'][number]

const ACTION = 'Cannot list the files'

/** Lists the files of the work tree as they are on disk; none is opened. */
export async function listWorkTree(context: WorkTreeContext): Promise<Omit<WorkTree, 'hasCommit'>> {
  const changes = ['diff-index', '--no-renames', '--ignore-submodules=all', '--name-only', '-z', context.base, '--']
  const [tracked, added, changed] = await Promise.all([
    names(context, ['ls-files', '-z', '--cached']),
    names(context, ['ls-files', '-z', '--others', '--exclude-standard']),
    names(context, changes),
  ])
  const files = new Map<string, WorkTreeFile>()
  for (const path of new Set([...tracked, ...added].map((name) => readable(context, name)))) {
    const mode = path === null ? null : modeOf(context.identity, path)
    if (path !== null && mode !== null) files.set(path, { path, mode })
  }
  const differing = [...changed, ...added].map((name) => readable(context, name)).filter((path) => path !== null)
  const inOrder = (a: string, b: string): number => (a < b ? -1 : 1)
  return {
    files: [...files.values()].sort((a, b) => inOrder(a.path, b.path)),
    // What stands there and is neither file nor link, as a pipe, is nobody's change to judge.
    changed: [...new Set(differing)].filter((path) => files.has(path) || isGone(context.identity, path)).sort(inOrder),
  }
}

async function names({ run, overrides }: WorkTreeContext, args: readonly string[]): Promise<string[]> {
  const output = await run(args, { config: overrides })
  if (output.cut) {
    throw new AppError('too_large', `${ACTION}: the repository has more than can be listed`, { hint: 'Name the paths' })
  }
  if (output.exitCode !== 0) throw toGitError(ACTION, output)
  return splitNul(output.stdout)
}

/** Null for what callers may not read, could not name, or is a temp file of this server. */
function readable({ protectedPaths }: WorkTreeContext, name: string): RepositoryPath | null {
  try {
    const path = parseRepositoryPath(name)
    // Another spelling (composed letters, say) would lead to another file on most systems.
    if (path !== name || isTempFileName(path.split('/').at(-1) ?? '')) return null
    return protectedPaths.judge(path).protection === 'read-write' ? null : path
  } catch {
    return null
  }
}

function modeOf({ root }: RepositoryIdentity, path: RepositoryPath): WorkTreeFile['mode'] | null {
  try {
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) return '120000'
    // A second name may be that of a file outside.
    if (!stat?.isFile() || stat.nlink > 1) return null
    return (stat.mode & 0o100) === 0 ? '100644' : '100755'
  } catch {
    return null
  }
}

function isGone({ root }: RepositoryIdentity, path: RepositoryPath): boolean {
  try {
    return lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined
  } catch {
    return true
  }
}
