import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitDiff } from '#shared/tools/git.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { parseRepositoryPath, type RepositoryPath, showPath } from '../workspace/repository-path.ts'
import { createDiffReader, parseDiffCursor, showDiffCursor } from './simple-git-diff-page.ts'
import { toGitError } from './simple-git-errors.ts'
import type { RepositoryIdentity } from './simple-git-identity.ts'
import { parseShortStat, splitNul } from './simple-git-parse.ts'
import type { GitOutput, GitRun, GitRunOptions } from './simple-git-run.ts'
import { readIndex, toIndexInfo, withScratchIndex } from './simple-git-scratch-index.ts'

export interface DiffContext {
  readonly run: GitRun
  readonly identity: RepositoryIdentity
  readonly overrides: ReadonlyMap<string, string>
  readonly protectedPaths: ProtectedPaths
}

export interface DiffRequest {
  readonly path: RepositoryPath | null
  readonly staged: boolean
  /** Id of the tree or commit to compare with. */
  readonly base: string
  /** Id of the commit that is compared with it, in place of the work tree; null for that. */
  readonly commit: string | null
  /** `next_cursor` of the page before; null for the first. */
  readonly cursor: string | null
}

type Diff = ToolOutput<typeof gitDiff>

/** Files of one diff. What has more is read path by path. */
const FILES_MAX = 10_000
/** Of these, as many as one call of git is given, so that their names always fit into its arguments. */
const BATCH_FILES_MAX = 500
const BATCH_BYTES_MAX = 256 * 1024
/** A new file larger than this is data: it is named by `git_status`, not shown. */
const NEW_FILE_BYTES_MAX = 1024 * 1024
const NAMES_BYTES_MAX = 4 * 1024 * 1024

const diffOptions = [
  '--no-ext-diff',
  '--no-textconv',
  '--ignore-submodules=all',
  '--submodule=short',
  '--no-renames',
  '--no-relative',
  '--no-color',
  '--no-indent-heuristic',
  '--diff-algorithm=histogram',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--unified=3',
  '--inter-hunk-context=0',
  // Not the configured order file, which may be missing or lie outside.
  '-O/dev/null',
] as const

/**
 * A page of work tree (untracked files included, as additions), index or a commit against a tree. While nothing changes, the pages
 * joined are the whole diff; a page of another diff is `conflict`. The counts are of the whole. Paths that may not be read, and files
 * that git would have to block on or that may be somebody else's, are left out.
 */
export async function diffTree(context: DiffContext, request: DiffRequest): Promise<Diff> {
  const pathspec = request.path === null ? [] : [request.path]
  const tracked = await trackedPaths(context, request, pathspec)
  const isOnDisk = !request.staged && request.commit === null
  const untracked = !isOnDisk ? [] : await untrackedPaths(context, pathspec)
  const hidden = tracked.filter((path) => !isDiffable(context, path, isOnDisk))
  // A path given to git also means what lies below it: a file that became a folder must not bring in what is hidden.
  const isShown = (path: string): boolean => !hidden.some((other) => other === path || other.startsWith(`${path}/`))
  const paths = outermost([...tracked.filter(isShown), ...untracked.map(({ path }) => path)])
  const named = paths.slice(0, FILES_MAX)
  const reader = createDiffReader(request.cursor === null ? null : parseDiffCursor(request.cursor))
  const counts = { files_changed: 0, insertions: 0, deletions: 0 }
  await withNewFiles(context, untracked, async (env) => {
    const args = ['diff', ...diffOptions, ...(request.staged ? ['--cached'] : [])]
    for (const batch of toBatches(named)) {
      const rest = [
        '--end-of-options',
        request.base,
        ...(request.commit === null ? [] : [request.commit]),
        '--',
        ...batch,
      ]
      const counted = parseShortStat((await run(context, [...args, '--shortstat', ...rest], { env })).stdout)
      counts.files_changed += counted.files_changed
      counts.insertions += counted.insertions
      counts.deletions += counted.deletions
      if (reader.bytesLeft() === 0) continue
      await run(context, [...args, '--patch', ...rest], {
        env,
        bytesMax: reader.bytesLeft(),
        onOutput: (chunk) => reader.add(chunk),
      })
    }
  })
  const { diff, next } = reader.end()
  const isWhole = named.length === paths.length && reader.bytesLeft() > 0
  return {
    diff,
    diff_truncated: next !== null || !isWhole,
    next_cursor: next === null ? null : showDiffCursor(next),
    ...counts,
  }
}

/**
 * Each path once, in git's own order, without those below another: to git a path also means what lies below it, as below a
 * file that became a folder, and nothing may come twice.
 */
function outermost(paths: readonly string[]): string[] {
  const all = new Set(paths)
  const isBelow = (path: string): boolean => {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      if (all.has(path.slice(0, end))) return true
    }
    return false
  }
  return [...all]
    .filter((path) => !isBelow(path))
    .map((path) => ({ path, bytes: Buffer.from(path) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ path }) => path)
}

function toBatches(paths: readonly string[]): string[][] {
  const batches: string[][] = []
  let bytesLeft = 0
  for (const path of paths) {
    const bytes = Buffer.byteLength(path)
    const last = batches.at(-1)
    if (last === undefined || last.length === BATCH_FILES_MAX || bytes > bytesLeft) {
      batches.push([path])
      bytesLeft = BATCH_BYTES_MAX - bytes
    } else {
      last.push(path)
      bytesLeft -= bytes
    }
  }
  return batches
}

/** Tracked paths that may differ, by their state on disk alone: no file is opened for it. */
async function trackedPaths(
  context: DiffContext,
  request: DiffRequest,
  pathspec: readonly string[],
): Promise<string[]> {
  const compared =
    request.commit === null ? ['diff-index', ...(request.staged ? ['--cached'] : [])] : ['diff-tree', '-r']
  const trees = request.commit === null ? [request.base] : [request.base, request.commit]
  const options = ['--no-renames', '--ignore-submodules=all', '--name-only', '-z']
  return splitNul((await run(context, [...compared, ...options, ...trees, '--', ...pathspec])).stdout)
}

interface NewFile {
  readonly path: string
  readonly mode: string
}

async function untrackedPaths(context: DiffContext, pathspec: readonly string[]): Promise<NewFile[]> {
  const args = ['ls-files', '--others', '--exclude-standard', '-z', '--', ...pathspec]
  const listed = await context.run(args, { config: context.overrides, bytesMax: NAMES_BYTES_MAX })
  if (listed.exitCode !== 0 && !listed.cut) throw toGitError('Cannot diff', listed)
  const files: NewFile[] = []
  for (const path of splitNul(listed.stdout)) {
    const stat = statOf(context.identity, path)
    if (stat === undefined || !stat.isFile() || stat.size > NEW_FILE_BYTES_MAX) continue
    if (!isDiffable(context, path, true)) continue
    files.push({ path, mode: (stat.mode & 0o100) === 0 ? '100644' : '100755' })
    // One more than is shown, so that the answer says that it is cut.
    if (files.length > FILES_MAX) break
  }
  return files
}

/** Runs `work` with an index that has the new files as empty ones: `git add -N`, without touching the user's index. */
async function withNewFiles<T>(
  context: DiffContext,
  files: readonly NewFile[],
  work: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  if (files.length === 0) return work({})
  const empty = await run(context, ['hash-object', '-t', 'blob', '--stdin', '--no-filters'])
  const id = empty.stdout.toString('utf8').trim()
  const entries = files.map(({ path, mode }) => ({ path, blob: { mode, id } }))
  const index = await readIndex(context.identity.gitDir)
  return withScratchIndex(index, async (path) => {
    const env = { GIT_INDEX_FILE: path }
    await run(context, ['update-index', '-z', '--index-info'], { env, input: toIndexInfo(entries, id.length) })
    return work(env)
  })
}

function isDiffable(context: DiffContext, path: string, isOnDisk: boolean): boolean {
  if (mayNotBeRead(context.protectedPaths, path)) return false
  if (!isOnDisk) return true
  const stat = statOf(context.identity, path)
  return stat === undefined || stat.isSymbolicLink() || (stat.isFile() && stat.nlink === 1) || stat.isDirectory()
}

/** Names that no caller could write are judged as well: a committed one may hold a secret too. */
function mayNotBeRead(protectedPaths: ProtectedPaths, path: string): boolean {
  try {
    return protectedPaths.judge(parseRepositoryPath(path)).protection === 'read-write'
  } catch {
    return protectedPaths.judge(path as RepositoryPath).protection === 'read-write'
  }
}

/** Undefined for what is gone, also where a folder on the way became a file. */
function statOf(identity: RepositoryIdentity, path: string): Stats | undefined {
  try {
    return lstatSync(join(identity.root, path), { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

async function run(context: DiffContext, args: readonly string[], options: GitRunOptions = {}): Promise<GitOutput> {
  const output = await context.run(args, { config: context.overrides, ...options })
  const isCutOnPurpose = output.cut && options.bytesMax !== undefined
  if (output.exitCode !== 0 && !isCutOnPurpose) throw toGitError('Cannot diff', output)
  return output
}

/** Throws `protected_path` for a path that may not be read. */
export function assertReadable(protectedPaths: ProtectedPaths, path: RepositoryPath, action: string): void {
  const { protection, reason } = protectedPaths.judge(path)
  if (protection === 'read-write')
    throw new AppError('protected_path', `${action} ${showPath(path)}: ${reason}`, { hint: 'Choose another file' })
}
