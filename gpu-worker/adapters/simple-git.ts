import { lstatSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX, PAGE_MAX } from '#shared/protocol/limits.ts'
import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitCommit, gitDiff, gitLog, gitStatus } from '#shared/tools/git.ts'
import type { CommitRequest, GitHook, Repository, WorkTree } from '../ports/repository.ts'
import { KeyedLocks } from '../workspace/locks.ts'
import { createProtectedPaths, type ProtectedPaths } from '../workspace/protected-paths.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { isTempFileName } from '../workspace/temp-files.ts'
import { toFileError } from './node-file-tree-errors.ts'
import { type Committer, commitPaths } from './simple-git-commit.ts'
import { assertNoFilters, type RepositoryConfig, readConfig, withoutFilters } from './simple-git-config.ts'
import { assertReadable, diffTree } from './simple-git-diff.ts'
import { toGitError } from './simple-git-errors.ts'
import { readPreCommitHook } from './simple-git-hook.ts'
import { pinRepository, type RepositoryIdentity } from './simple-git-identity.ts'
import { findIgnored } from './simple-git-ignored.ts'
import { LOG_FORMAT, parseLog, parseStatus } from './simple-git-parse.ts'
import { createGitRun, findGit, type GitOutput, type GitRun, type GitRunOptions } from './simple-git-run.ts'
import { removeLeftIndexes } from './simple-git-scratch-index.ts'
import { listWorkTree } from './simple-git-work-tree.ts'
import { holdRepository, type RepositoryHold } from './sqlite-repository-lock.ts'

export interface OpenRepositoryOptions {
  /** Top folder of the work tree. */
  readonly root: string
  /** Absolute path of git. Found on `searchPath` where not given. */
  readonly gitBinary?: string
  /** Folders with programs, as in PATH. Those inside the repository and relative ones are left out. */
  readonly searchPath?: string
  /** Used where the repository's configuration names nobody. */
  readonly committer?: Committer
  /** How long to wait for a lock that another process holds. */
  readonly lockDeadlineMs?: number
  /** How long one git process may take; see CALL_TIMEOUT_MS. */
  readonly timeoutMs?: number
  /** Filter drivers (`filter.<name>`) that the owner lets git run. */
  readonly allowFilters?: readonly string[]
  /** Exact paths that the owner opted in; as for the file tree. */
  readonly allowProtected?: readonly string[]
  /** Takes the repository for this process alone, until it ends; `conflict` where another has it. */
  readonly isOnlyWriter?: boolean
  /** Hears of everything that is switched off or refused, when it is opened and when that changes. */
  readonly onNotice?: (notice: string) => void
}

const SEARCH_PATH_DEFAULT = '/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin'
const COMMITTER_DEFAULT: Committer = { name: 'Millwright', email: 'millwright@localhost' }
const LOCK_DEADLINE_MS_DEFAULT = 5000
/** More changed files than anyone reads; the answer says that there are more. */
const STATUS_FILES_MAX = 1000
/** Paths of one question about their state: half a megabyte of arguments at most. */
const STATUS_PATHS_MAX = 200
const STATUS_BYTES_MAX = 4 * 1024 * 1024
const LOG_BYTES_MAX = 4 * 1024 * 1024
const SKIP_MAX = 10_000_000
/** Blobs come from `storeBlob`, that is from files that were read. */
const BLOB_BYTES_MAX = 16 * FILE_BYTES_MAX

// No range, no path in a revision, no search through history, no reflog by date; never an option.
const revisionText = /^[A-Za-z0-9_][A-Za-z0-9_./+@-]*(?:@\{\d{1,4}\})?(?:[\^~]\d{0,4})*$/u
/** After a revision: the commit itself, against its first parent. */
const COMMIT_ITSELF = '^!'
const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u
const cursorText = /^([0-9a-f]{40}|[0-9a-f]{64})-(\d{1,8})$/u

/** Git writes of this process, one at a time for each repository. */
const writeLocks = new KeyedLocks()

/**
 * Opens the repository whose top folder is `root`. Rejects with `unavailable`, saying why: no git or one too old, no
 * repository, a bare one, one of another user, one whose `.git` is a link.
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<Repository> {
  let root: string
  try {
    root = realpathSync(resolve(options.root))
    if (!lstatSync(root).isDirectory()) throw new Error('not a folder')
  } catch (cause) {
    throw new AppError('unavailable', 'Cannot open the repository: its folder is missing or cannot be read', { cause })
  }
  const searchPath = options.searchPath ?? SEARCH_PATH_DEFAULT
  const binary = options.gitBinary ?? findGit(searchPath, root)
  const settings = { binary, folder: root, searchPath, timeoutMs: options.timeoutMs }
  const identity = await pinRepository(root, createGitRun({ ...settings, env: {} }))
  const hold = options.isOnlyWriter === true ? holdRepository(identity.gitDir) : null
  if (hold !== null) await removeLeftIndexes()
  // Named outright: no search for a repository, and no `core.worktree`, can lead git elsewhere.
  const run = createGitRun({ ...settings, env: { GIT_DIR: identity.gitDir, GIT_WORK_TREE: root } })
  const allowFilters = options.allowFilters ?? []
  const repository = new SimpleGitRepository(run, identity, hold, {
    allowFilters,
    protectedPaths: createProtectedPaths(options.allowProtected),
    committer: options.committer ?? COMMITTER_DEFAULT,
    lockDeadlineMs: options.lockDeadlineMs ?? LOCK_DEADLINE_MS_DEFAULT,
    onNotice: options.onNotice ?? (() => undefined),
  })
  await repository.refreshConfig()
  return repository
}

interface Settings {
  readonly allowFilters: readonly string[]
  readonly protectedPaths: ProtectedPaths
  readonly committer: Committer
  readonly lockDeadlineMs: number
  readonly onNotice: (notice: string) => void
}

class SimpleGitRepository implements Repository {
  readonly #run: GitRun
  readonly #identity: RepositoryIdentity
  readonly #settings: Settings
  /** Let go, it would be collected, and the lock with it. */
  readonly hold: RepositoryHold | null
  /** What the configuration asked for when it was read last. */
  #noticed: ReadonlySet<string> = new Set()

  constructor(run: GitRun, identity: RepositoryIdentity, hold: RepositoryHold | null, settings: Settings) {
    this.hold = hold
    // Looked at before, so that nothing runs on another repository; and after, so that nothing of one is told.
    this.#run = async (args, options) => {
      identity.assertSame()
      const output = await run(args, options)
      identity.assertSame()
      return output
    }
    this.#identity = identity
    this.#settings = settings
  }

  /** Reads the configuration again: it may have changed since, and with it what has to be switched off. */
  async refreshConfig(): Promise<RepositoryConfig> {
    const config = await readConfig(this.#run, this.#identity, this.#settings.allowFilters)
    for (const notice of config.notices) if (!this.#noticed.has(notice)) this.#settings.onNotice(notice)
    this.#noticed = new Set(config.notices)
    return config
  }

  async status(): Promise<ToolOutput<typeof gitStatus>> {
    const config = await this.#configWithoutFilters()
    const args = ['status', '--porcelain=v2', '-z', '--branch', '--ahead-behind', '--untracked-files=all']
    const output = await this.#run([...args, '--ignored=no', '--ignore-submodules=all', '--no-renames'], {
      config: config.overrides,
      bytesMax: STATUS_BYTES_MAX,
    })
    if (output.exitCode !== 0 && !output.cut) throw toGitError('Cannot tell the status', output)
    const status = parseStatus(output.stdout, STATUS_FILES_MAX, (path) => !isTempFileName(path.split('/').at(-1) ?? ''))
    return { ...status, truncated: status.truncated || output.cut }
  }

  async changed(paths: readonly RepositoryPath[]): Promise<Set<RepositoryPath>> {
    const { overrides: config } = await this.#configWithoutFilters()
    const options = ['--untracked-files=all', '--ignored=no', '--ignore-submodules=all', '--no-renames']
    const found = new Set<string>()
    for (let start = 0; start < paths.length; start += STATUS_PATHS_MAX) {
      const named = paths.slice(start, start + STATUS_PATHS_MAX)
      const args = ['status', '--porcelain=v2', '-z', ...options, '--', ...named]
      const output = await this.#must('Cannot tell what changed', args, { config })
      for (const { path } of parseStatus(output.stdout, Number.POSITIVE_INFINITY, () => true).files) found.add(path)
    }
    return new Set(paths.filter((path) => found.has(path)))
  }

  async diff(request: {
    path: RepositoryPath | null
    staged: boolean
    revision: string | null
    cursor: string | null
  }): Promise<ToolOutput<typeof gitDiff>> {
    const { protectedPaths } = this.#settings
    if (request.path !== null) assertReadable(protectedPaths, request.path, 'Cannot diff')
    const compared = await this.#resolveCompared(request.revision, request.staged)
    const { overrides } = await this.#configWithoutFilters()
    const context = { run: this.#run, identity: this.#identity, overrides, protectedPaths }
    return withFileErrors('Cannot diff', () => diffTree(context, { ...request, ...compared }))
  }

  async commit(request: CommitRequest): Promise<ToolOutput<typeof gitCommit>> {
    return writeLocks.run(this.#identity.gitDir, async () => {
      const config = await this.#configWithoutFilters()
      const context = { ...this.#settings, run: this.#run, identity: this.#identity, config }
      return withFileErrors('Cannot commit', () => commitPaths(context, request))
    })
  }

  async log(request: {
    limit: number
    path: RepositoryPath | null
    cursor: string | null
  }): Promise<ToolOutput<typeof gitLog>> {
    const { limit, path, cursor } = request
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new AppError('invalid_input', `Cannot list commits: limit must be a whole number from 1 to ${PAGE_MAX}`)
    }
    const start = cursor === null ? { commit: await this.#headCommit(), skip: 0 } : await this.#parseCursor(cursor)
    if (start.commit === null) return { commits: [], next_cursor: null }
    const output = await this.#run(
      [
        'log',
        '-z',
        `--format=${LOG_FORMAT}`,
        `--max-count=${limit + 1}`,
        `--skip=${start.skip}`,
        '--no-patch',
        '--no-color',
        '--no-decorate',
        '--no-notes',
        '--no-mailmap',
        '--no-show-signature',
        '--no-ext-diff',
        '--no-textconv',
        '--encoding=UTF-8',
        '--end-of-options',
        start.commit,
        '--',
        ...(path === null ? [] : [path]),
      ],
      { bytesMax: LOG_BYTES_MAX },
    )
    if (output.exitCode !== 0 && !output.cut) throw toGitError('Cannot list commits', output)
    const found = parseLog(output.stdout)
    const commits = found.slice(0, limit)
    const more = found.length > limit || output.cut
    return { commits, next_cursor: more ? `${start.commit}-${start.skip + commits.length}` : null }
  }

  async committedBytes(path: RepositoryPath): Promise<Uint8Array | null> {
    const { overrides, filters } = await this.refreshConfig()
    const output = await this.#run(['cat-file', '--filters', `HEAD:${path}`], {
      config: new Map([...overrides, ...withoutFilters(filters)]),
      bytesMax: FILE_BYTES_MAX,
    })
    return output.exitCode === 0 && !output.cut ? output.stdout : null
  }

  async workTree(): Promise<WorkTree> {
    const { overrides } = await this.#configWithoutFilters()
    const { protectedPaths } = this.#settings
    const hasCommit = (await this.#headCommit()) !== null
    const base = await this.#resolveRevision(null)
    return {
      ...(await listWorkTree({ run: this.#run, identity: this.#identity, overrides, protectedPaths, base })),
      hasCommit,
    }
  }

  async preCommitHook(): Promise<GitHook | null> {
    const { hooksPath } = await this.refreshConfig()
    const { protectedPaths } = this.#settings
    return withFileErrors('Cannot read the hooks of git', async () =>
      readPreCommitHook(this.#identity, hooksPath, protectedPaths),
    )
  }

  async storeBlob(bytes: Uint8Array): Promise<string> {
    const output = await this.#must('Cannot keep the bytes', ['hash-object', '-w', '--stdin', '--no-filters'], {
      input: bytes,
    })
    return output.stdout.toString('utf8').trim()
  }

  async readBlob(id: string): Promise<Uint8Array> {
    if (!objectId.test(id)) throw new AppError('invalid_input', 'Cannot read the blob: not the id of a git object')
    const kind = await this.#run(['cat-file', '-t', id])
    if (kind.exitCode !== 0 || kind.stdout.toString('utf8').trim() !== 'blob') {
      throw new AppError('not_found', 'Cannot read the blob: no blob of this id')
    }
    const output = await this.#must('Cannot read the blob', ['cat-file', 'blob', id], { bytesMax: BLOB_BYTES_MAX })
    return output.stdout
  }

  async ignored(paths: readonly RepositoryPath[]): Promise<Set<RepositoryPath>> {
    return findIgnored(this.#run, paths, 'Cannot tell what git ignores')
  }

  async notices(): Promise<readonly string[]> {
    try {
      return (await this.refreshConfig()).notices
    } catch (error) {
      // A repository that cannot be used any more is what a person has to be told first.
      if (error instanceof AppError) return [error.message]
      throw error
    }
  }

  async #configWithoutFilters(): Promise<RepositoryConfig> {
    const config = await this.refreshConfig()
    assertNoFilters(config)
    return config
  }

  /** The commit that HEAD stands at; null before the first. */
  async #headCommit(): Promise<string | null> {
    const output = await this.#run(['rev-parse', '--verify', '--quiet', '--end-of-options', 'HEAD^{commit}'])
    if (output.exitCode === 0) return output.stdout.toString('utf8').trim()
    // A branch without a commit is no error; a HEAD that points to nothing readable is.
    const branch = await this.#run(['symbolic-ref', '--quiet', 'HEAD'])
    const exists = await this.#run(['show-ref', '--verify', '--quiet', '--', branch.stdout.toString('utf8').trim()])
    if (branch.exitCode === 0 && exists.exitCode === 1) return null
    throw toGitError('Cannot read the last commit', output)
  }

  /** What a diff compares: `REVISION^!` is that commit with its first parent, or the first commit with nothing. */
  async #resolveCompared(revision: string | null, staged: boolean): Promise<{ base: string; commit: string | null }> {
    if (!revision?.endsWith(COMMIT_ITSELF)) return { base: await this.#resolveRevision(revision), commit: null }
    if (staged) {
      throw new AppError('invalid_input', `Cannot diff: what a commit changed (${COMMIT_ITSELF}) is not staged`, {
        hint: 'Leave staged out',
      })
    }
    const commit = await this.#resolveRevision(revision.slice(0, -COMMIT_ITSELF.length))
    return { base: (await this.#resolveCommit(`${commit}^1`)) ?? (await this.#emptyTree()), commit }
  }

  /** The id of what to compare with. Before the first commit, HEAD is the empty tree. */
  async #resolveRevision(revision: string | null): Promise<string> {
    if (revision === null || revision === 'HEAD') {
      return (await this.#headCommit()) ?? (await this.#emptyTree())
    }
    if (revision.length > 200 || !revisionText.test(revision) || /\.\.|\/\/|\.lock(?:\/|$)|\/\./u.test(revision)) {
      throw new AppError('invalid_input', 'Cannot use this revision: not a branch, tag, commit id or HEAD', {
        hint: 'Give a commit id, a branch, a tag, HEAD~2 or the like, with ^! after it for what that commit changed; ranges and options are not taken',
      })
    }
    const commit = await this.#resolveCommit(revision)
    if (commit !== null) return commit
    throw new AppError('not_found', 'Cannot use this revision: there is no such commit', {
      hint: 'git_log lists commits',
    })
  }

  async #resolveCommit(revision: string): Promise<string | null> {
    const output = await this.#run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`])
    const id = output.stdout.toString('utf8').trim()
    return output.exitCode === 0 && objectId.test(id) ? id : null
  }

  async #emptyTree(): Promise<string> {
    const output = await this.#must('Cannot diff', ['hash-object', '-t', 'tree', '--stdin'], {})
    return output.stdout.toString('utf8').trim()
  }

  async #parseCursor(cursor: string): Promise<{ commit: string; skip: number }> {
    const match = cursorText.exec(cursor)
    const [commit, skip] = [match?.[1] ?? '', Number(match?.[2])]
    if (match === null || skip > SKIP_MAX || (await this.#resolveCommit(commit)) !== commit) {
      throw new AppError('invalid_input', 'Cannot list commits: this cursor is not from this repository', {
        hint: 'Pass next_cursor as it was returned, or none',
      })
    }
    return { commit, skip }
  }

  async #must(action: string, args: readonly string[], options: GitRunOptions): Promise<GitOutput> {
    const output = await this.#run(args, options)
    if (output.exitCode !== 0 || output.cut) throw toGitError(action, output)
    return output
  }
}

/** The work's own files (the index, its lock, a copy of it) can fail as any file can: a full disk, a denied folder. */
async function withFileErrors<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toFileError(error, action)
  }
}
