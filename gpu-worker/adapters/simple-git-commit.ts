import { lstatSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitCommit } from '#shared/tools/git.ts'
import type { CommitRequest } from '../ports/repository.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { type RepositoryPath, showPath } from '../workspace/repository-path.ts'
import type { RepositoryConfig } from './simple-git-config.ts'
import { isLocked, toGitError } from './simple-git-errors.ts'
import type { RepositoryIdentity } from './simple-git-identity.ts'
import { findIgnored } from './simple-git-ignored.ts'
import { lockIndex, retryWhileLocked } from './simple-git-index-lock.ts'
import { composeMessage, subjectOf } from './simple-git-message.ts'
import { escapeName, splitNul } from './simple-git-parse.ts'
import type { GitOutput, GitRun, GitRunOptions } from './simple-git-run.ts'
import { type IndexEntry, readIndex, toIndexInfo, withScratchIndex } from './simple-git-scratch-index.ts'

export interface Committer {
  readonly name: string
  readonly email: string
}

/** What a commit needs of the repository that it goes to. */
export interface CommitContext {
  readonly run: GitRun
  readonly identity: RepositoryIdentity
  readonly config: RepositoryConfig
  readonly protectedPaths: ProtectedPaths
  readonly allowFilters: readonly string[]
  readonly committer: Committer
  readonly lockDeadlineMs: number
}

type CommitResult = ToolOutput<typeof gitCommit>

const ACTION = 'Cannot commit'
const SUBJECT_CHARACTERS_MAX = 200

/** What git leaves in its folder while an operation waits for a person. */
const underWay: readonly [file: string, name: string][] = [
  ['MERGE_HEAD', 'a merge'],
  ['rebase-merge', 'a rebase'],
  ['rebase-apply', 'a rebase'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick'],
  ['REVERT_HEAD', 'a revert'],
  ['sequencer', 'a cherry-pick or revert'],
  ['BISECT_LOG', 'a bisect'],
]

/**
 * Commits exactly the named paths as they are in the work tree, with plumbing: no hook can run, the work tree is only
 * read, and the user's index changes in the committed paths alone. The branch moves only from where it was looked at.
 */
export async function commitPaths(context: CommitContext, request: CommitRequest): Promise<CommitResult> {
  const message = composeMessage(request)
  const paths = [...new Set(request.paths)]
  if (paths.length === 0) throw new AppError('invalid_input', `${ACTION}: no path named`, { hint: 'Name the paths' })
  const files = new Map(paths.map((path) => [path, inspect(context, path)]))
  const branch = await currentBranch(context)
  assertNothingUnderWay(context.identity)
  const parent = await resolveCommit(context, branch)
  await assertCommittable(context, paths)
  await assertNotSparse(
    context,
    paths.filter((path) => files.get(path) === undefined),
  )

  return withScratchIndex(null, async (index) => {
    const env = { GIT_INDEX_FILE: index }
    await must(context, ['read-tree', ...(parent === null ? ['--empty'] : [parent])], { env })
    await must(context, ['update-index', '--add', '--remove', '-z', '--stdin'], { env, input: nulList(paths) })
    const [changed, entries] = await Promise.all([
      changedPaths(context, parent, paths, env),
      indexEntries(context, paths, env),
    ])
    const absent = paths.find((path) => files.get(path) === undefined && !changed.includes(path))
    if (absent !== undefined) {
      throw new AppError(
        'not_found',
        `${ACTION}: ${showPath(absent)} is neither in the work tree nor in the last commit`,
        { hint: 'git_status shows what there is to commit' },
      )
    }
    if (changed.length === 0) {
      throw new AppError('conflict', `${ACTION}: nothing changed in the named paths since the last commit`, {
        hint: 'git_status shows what has changed',
      })
    }
    // A partial clone may lack what other paths hold; what is named here was just written.
    const tree = await line(context, ['write-tree', '--missing-ok'], { env })
    const commit = await line(context, ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent]), '-F', '-'], {
      input: Buffer.from(message),
      env: authorship(context),
    })
    await publish(context, { branch, parent, commit, entries, subject: subjectOf(message) })
    return {
      commit,
      branch: escapeName(branch.slice('refs/heads/'.length)),
      files: changed.map(escapeName),
    }
  })
}

/** Moves the branch and brings the user's index along, under git's own locks. */
async function publish(
  context: CommitContext,
  change: { branch: string; parent: string | null; commit: string; entries: IndexEntry[]; subject: string },
): Promise<void> {
  const { identity, lockDeadlineMs } = context
  const lock = await lockIndex(identity.gitDir, ACTION, lockDeadlineMs)
  try {
    identity.assertSame()
    const old = await readIndex(identity.gitDir)
    const bytes = await withScratchIndex(old, async (index) => {
      await must(context, ['update-index', '-z', '--index-info'], {
        env: { GIT_INDEX_FILE: index },
        input: toIndexInfo(change.entries, change.commit.length),
      })
      return (await readIndex(dirname(index)))?.bytes ?? null
    })
    // Null: there was no index, and nothing has to be in it.
    if (bytes !== null) await lock.stage(bytes, old?.mode ?? 0o644)
    await moveBranch(context, change)
    if (bytes !== null) await lock.commit()
  } finally {
    await lock.release()
  }
}

async function moveBranch(
  context: CommitContext,
  { branch, parent, commit, subject }: { branch: string; parent: string | null; commit: string; subject: string },
): Promise<void> {
  const reason = `commit${parent === null ? ' (initial)' : ''}: ${subject.slice(0, SUBJECT_CHARACTERS_MAX)}`
  const old = parent ?? '0'.repeat(commit.length)
  await retryWhileLocked(ACTION, context.lockDeadlineMs, async () => {
    const output = await context.run(['update-ref', '-m', reason, branch, commit, old], { env: authorship(context) })
    if (output.exitCode === 0) return 'done'
    if (/ but expected |reference already exists|unable to resolve reference/u.test(output.stderr)) {
      throw new AppError('conflict', `${ACTION}: the branch moved meanwhile`, {
        hint: 'Look at git_log and git_diff, then call again',
        cause: new Error(output.stderr),
      })
    }
    if (isLocked(output)) return 'locked'
    throw toGitError(ACTION, output)
  })
}

/** What stands at a path, looked at without following a link. Undefined for what is to be deleted. */
function inspect({ identity, protectedPaths }: CommitContext, path: RepositoryPath): Stats | undefined {
  const refuse = (code: 'invalid_input' | 'outside_repository', reason: string): AppError =>
    new AppError(code, `${ACTION} ${showPath(path)}: ${reason}`, { hint: 'Name the path of a file' })
  const { protection, reason } = protectedPaths.judge(path)
  if (protection === 'read-write')
    throw new AppError('protected_path', `${ACTION} ${showPath(path)}: ${reason}`, { hint: 'Leave it out' })
  const names = path.split('/')
  for (let depth = 1; depth < names.length; depth += 1) {
    const folder = join(identity.root, ...names.slice(0, depth))
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (stat.isSymbolicLink()) throw refuse('outside_repository', 'a folder in it is a link')
    if (!stat.isDirectory()) return undefined
    if (lstatSync(join(folder, '.git'), { throwIfNoEntry: false }) !== undefined) {
      throw refuse('outside_repository', 'it lies in a submodule or nested repository')
    }
  }
  const stat = lstatSync(join(identity.root, path), { throwIfNoEntry: false })
  if (stat?.isDirectory()) throw refuse('invalid_input', 'a folder')
  if (stat !== undefined && !stat.isFile()) throw refuse('invalid_input', 'not a regular file')
  if (stat !== undefined && stat.nlink > 1) {
    throw refuse('outside_repository', 'it has several names (hard links), of which some may lie outside')
  }
  return stat
}

async function currentBranch({ run }: CommitContext): Promise<string> {
  const output = await run(['symbolic-ref', '--quiet', 'HEAD'])
  const branch = output.stdout.toString('utf8').trimEnd()
  if (output.exitCode === 0 && branch.startsWith('refs/heads/')) return branch
  if (output.exitCode !== 1) throw toGitError(ACTION, output)
  throw new AppError('conflict', `${ACTION}: HEAD is detached, not on a branch`, { hint: 'Switch to a branch first' })
}

function assertNothingUnderWay({ gitDir }: RepositoryIdentity): void {
  const found = underWay.find(([file]) => lstatSync(join(gitDir, file), { throwIfNoEntry: false }) !== undefined)
  if (found === undefined) return
  throw new AppError('conflict', `${ACTION}: ${found[1]} is under way`, { hint: 'A person has to finish or abort it' })
}

/** The commit that a branch stands at; null before the first. */
async function resolveCommit({ run }: CommitContext, branch: string): Promise<string | null> {
  const output = await run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${branch}^{commit}`])
  if (output.exitCode === 0) return output.stdout.toString('utf8').trim()
  const exists = await run(['show-ref', '--verify', '--quiet', '--', branch])
  if (exists.exitCode === 1) return null
  throw toGitError(ACTION, output)
}

/** Refuses what git ignores, what is unmerged, and what only a filter program could turn into its stored form. */
async function assertCommittable(context: CommitContext, paths: readonly RepositoryPath[]): Promise<void> {
  const { run, allowFilters } = context
  const [[ignored], unmerged, filters] = await Promise.all([
    findIgnored(run, paths, ACTION),
    must(context, ['ls-files', '-u', '-z', '--', ...paths]),
    must(context, ['check-attr', '-z', '--stdin', 'filter'], { input: nulList(paths) }),
  ])
  if (ignored !== undefined) {
    throw new AppError('invalid_input', `${ACTION}: ${showPath(ignored)} is ignored by git`, {
      hint: 'Ignored files are never committed; change .gitignore if it should be',
    })
  }
  if (unmerged.stdout.byteLength > 0) {
    throw new AppError('conflict', `${ACTION}: a named path has unresolved merge conflicts`, {
      hint: 'Resolve them first; git_status names the files',
    })
  }
  const attributes = splitNul(filters.stdout)
  for (let index = 0; index + 2 < attributes.length; index += 3) {
    const [path = '', , filter = ''] = attributes.slice(index, index + 3)
    if (['unspecified', 'unset', 'set', ...allowFilters].includes(filter)) continue
    throw new AppError(
      'unavailable',
      `${ACTION} ${showPath(path)}: it needs the filter program "${escapeName(filter)}"`,
      {
        hint: "The machine's owner can allow the filter by name (docs/security.md)",
      },
    )
  }
}

/** A file that a sparse checkout leaves out is missing, but nobody deleted it. */
async function assertNotSparse(context: CommitContext, missing: readonly RepositoryPath[]): Promise<void> {
  if (missing.length === 0) return
  const listed = splitNul((await must(context, ['ls-files', '-t', '-z', '--', ...missing])).stdout)
  if (listed.some((entry) => entry.startsWith('S '))) {
    throw new AppError('conflict', `${ACTION}: a named path is left out by a sparse checkout`, {
      hint: 'Leave it out, or have a person widen the checkout',
    })
  }
}

async function changedPaths(
  context: CommitContext,
  parent: string | null,
  paths: readonly RepositoryPath[],
  env: Record<string, string>,
): Promise<string[]> {
  if (parent === null) return splitNul((await must(context, ['ls-files', '-z', '--', ...paths], { env })).stdout)
  const args = ['diff-index', '--cached', '--no-renames', '--ignore-submodules=all', '--name-only', '-z', parent, '--']
  return splitNul((await must(context, [...args, ...paths], { env })).stdout)
}

/** The named paths as the new commit has them, for the user's index. */
async function indexEntries(
  context: CommitContext,
  paths: readonly RepositoryPath[],
  env: Record<string, string>,
): Promise<IndexEntry[]> {
  const listed = splitNul((await must(context, ['ls-files', '-s', '-z', '--', ...paths], { env })).stdout)
  const blobs = new Map(
    listed.map((entry) => {
      const [head = '', path = ''] = entry.split('\t', 2)
      const [mode = '', id = ''] = head.split(' ')
      return [path, { mode, id }]
    }),
  )
  return paths.map((path) => ({ path, blob: blobs.get(path) ?? null }))
}

/** Who commits, and when: the repository's own `user.name` and `user.email`, or the server's. */
function authorship({ config, committer }: CommitContext): Record<string, string> {
  const name = plainIdentity(config.userName) ?? committer.name
  const email = plainIdentity(config.userEmail) ?? committer.email
  const now = new Date()
  const offset = -now.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}${String(Math.abs(offset) % 60).padStart(2, '0')}`
  const date = `@${Math.floor(now.getTime() / 1000)} ${zone}`
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  }
}

function plainIdentity(text: string | null): string | null {
  const plain = text?.replaceAll(/[\p{C}<>]/gu, '').trim() ?? ''
  return /[\p{L}\p{N}]/u.test(plain) ? plain : null
}

const nulList = (paths: readonly string[]): Buffer => Buffer.from(paths.map((path) => `${path}\0`).join(''))

async function must(
  { run, config }: CommitContext,
  args: readonly string[],
  options: GitRunOptions = {},
): Promise<GitOutput> {
  const output = await run(args, { config: config.overrides, ...options })
  if (output.exitCode !== 0 || output.cut) throw toGitError(ACTION, output)
  return output
}

const line = async (context: CommitContext, args: readonly string[], options: GitRunOptions): Promise<string> =>
  (await must(context, args, options)).stdout.toString('utf8').trim()
