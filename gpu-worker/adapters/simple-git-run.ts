import { accessSync, constants, statSync } from 'node:fs'
import { devNull } from 'node:os'
import { delimiter, isAbsolute, join, relative } from 'node:path'
import { type SimpleGitOptions, simpleGit } from 'simple-git'
import { AppError } from '#shared/errors.ts'
import { CALL_TIMEOUT_MS } from '#shared/protocol/limits.ts'

// The only file that starts git. Every argument that reaches it is ours or was validated; what a caller wrote comes on
// standard input or behind `--end-of-options` and `--`.

export interface GitOutput {
  /** Null where git was ended by a signal. */
  readonly exitCode: number | null
  readonly stdout: Buffer
  /** For classifying and for logs. Carries absolute paths: never for callers. */
  readonly stderr: string
  /** Output went past `bytesMax` and git was ended. */
  readonly cut: boolean
}

export interface GitRunOptions {
  readonly input?: Uint8Array
  /** Output bytes after which git is ended. */
  readonly bytesMax?: number
  /** Takes the output as it comes, and leaves `stdout` empty: for what may be too long to be kept. */
  readonly onOutput?: (chunk: Buffer) => void
  readonly env?: Readonly<Record<string, string>>
  /** Configuration beside the fixed set, as key and value. */
  readonly config?: ReadonlyMap<string, string>
}

/** Resolves whatever git's exit status; rejects with `timeout`, or with `unavailable` where git cannot be started. */
export type GitRun = (args: readonly string[], options?: GitRunOptions) => Promise<GitOutput>

const OUTPUT_BYTES_MAX = 8 * 1024 * 1024

/** Events whose hooks, named in configuration, git 2.54 and newer run whatever `core.hooksPath` says. */
const hookEvents = [
  'pre-commit',
  'prepare-commit-msg',
  'commit-msg',
  'post-commit',
  'post-index-change',
  'reference-transaction',
  'pre-auto-gc',
  'post-checkout',
  'post-merge',
  'post-rewrite',
] as const

/** What a repository's configuration must not decide: programs that git would start, and what it prints. */
const fixedConfig: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'safe.bareRepository=explicit',
  'commit.gpgSign=false',
  'log.showSignature=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'core.fsync=all',
  'protocol.allow=never',
  'core.splitIndex=false',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'core.quotePath=false',
  'core.commentChar=#',
  'log.follow=false',
  'log.mailmap=false',
  'diff.orderFile=/dev/null',
  'diff.suppressBlankEmpty=false',
  'i18n.commitEncoding=UTF-8',
  'status.submoduleSummary=false',
  // A negative one has git wait for a lock for ever; how long to wait is ours to say.
  'core.filesRefLockTimeout=100',
  'core.packedRefsTimeout=100',
  ...hookEvents.map((event) => `hook.${event}.enabled=false`),
]

const fixedEnvironment = {
  HOME: devNull,
  XDG_CONFIG_HOME: devNull,
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  // Outranks `protocol.<name>.allow`, with which a repository could allow a transport again; and a partial clone that
  // lacks an object must not fetch it.
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
} as const

const fixedArguments = ['--no-pager', '--no-optional-locks'] as const

// simple-git refuses these by name, for callers that pass strings of others through. They are what switches programs
// off here; a key that a repository made up and that looks like another still is refused.
const unsafe: NonNullable<SimpleGitOptions['unsafe']> = {
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeFilter: true,
  allowUnsafeCustomBinary: true,
}

/**
 * Finds git in a search path, leaving out entries that are relative or inside the repository: a repository must not
 * bring its own git. Throws `unavailable` where there is none.
 */
export function findGit(searchPath: string, root: string): string {
  for (const folder of searchFolders(searchPath, root)) {
    const binary = join(folder, 'git')
    if (isExecutable(binary)) return binary
  }
  throw new AppError('unavailable', 'Cannot use git: not found on the search path', {
    hint: 'Install git 2.31 or newer on the machine of the worker',
  })
}

export interface GitRunSettings {
  readonly binary: string
  readonly folder: string
  readonly searchPath: string
  /** Added to every call; outranks the fixed environment in nothing. */
  readonly env: Readonly<Record<string, string>>
  /** For one process. As long as a short call may take where not given. */
  readonly timeoutMs?: number | undefined
}

/** A runner for one folder. */
export function createGitRun({ binary, folder, searchPath, env, timeoutMs = CALL_TIMEOUT_MS }: GitRunSettings): GitRun {
  const path = searchFolders(searchPath, folder).join(delimiter)
  return (args, options = {}) =>
    runOnce({ binary, folder, timeoutMs }, [...fixedArguments, ...pathspecMode(args), ...args], options, {
      ...env,
      ...options.env,
      ...toConfigEnvironment(options.config ?? new Map()),
      ...fixedEnvironment,
      PATH: path,
    })
}

async function runOnce(
  { binary, folder, timeoutMs }: { binary: string; folder: string; timeoutMs: number },
  args: string[],
  options: GitRunOptions,
  env: Record<string, string>,
): Promise<GitOutput> {
  const bytesMax = options.bytesMax ?? OUTPUT_BYTES_MAX
  const controller = new AbortController()
  const { promise: ended, resolve: end } = Promise.withResolvers<'cut' | 'timeout'>()
  const chunks: Buffer[] = []
  let length = 0
  let exitCode: number | null = null
  let stderr = ''
  const git = simpleGit({
    baseDir: folder,
    binary,
    config: [...fixedConfig],
    unsafe,
    allowEnvironment: Object.keys(env),
    abort: controller.signal,
    completion: { onClose: true, onExit: false },
    // Always something, or simple-git leaves the pipe open and git waits for it.
    input: () => Buffer.from(options.input ?? []),
    errors: (_error, result) => {
      exitCode = result.exitCode
      return undefined
    },
  })
    .env(env)
    .outputHandler((_command, stdout, errors) => {
      stdout.on('data', (chunk: Buffer) => {
        length += chunk.byteLength
        if (options.onOutput === undefined) chunks.push(chunk)
        else options.onOutput(chunk)
        if (length > bytesMax) {
          stdout.pause()
          controller.abort()
          end('cut')
        }
      })
      // simple-git waits 50 ms more for a process that printed nothing.
      stdout.once('end', () => stdout.emit('data', Buffer.alloc(0)))
      errors.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(0, 16_384)
      })
    })
  const timer = setTimeout(() => {
    // An interrupt, on which git takes its lock files away.
    controller.abort()
    end('timeout')
  }, timeoutMs)
  try {
    const outcome = await Promise.race([git.raw(args), ended])
    if (outcome === 'timeout') throw timedOut(timeoutMs)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('unavailable', "Cannot run git: the repository's configuration was refused", {
      cause,
      hint: 'A person looks at it with git config --list --show-origin; the log of the worker says more',
    })
  } finally {
    clearTimeout(timer)
  }
  const cut = length > bytesMax
  if (!cut && (exitCode === null || exitCode < 0) && stderr === '') exitCode = null
  return { exitCode, stdout: Buffer.concat(chunks), stderr, cut }
}

/** `check-ignore` takes no literal pathspecs; see `simple-git-ignored.ts` for what it is given instead. */
const pathspecMode = (args: readonly string[]): string[] => (args[0] === 'check-ignore' ? [] : ['--literal-pathspecs'])

/** Configuration by environment, where a key may hold any character, `=` included. */
function toConfigEnvironment(config: ReadonlyMap<string, string>): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(config.size) }
  let index = 0
  for (const [key, value] of config) {
    env[`GIT_CONFIG_KEY_${index}`] = key
    env[`GIT_CONFIG_VALUE_${index}`] = value
    index += 1
  }
  return env
}

function searchFolders(searchPath: string, root: string): string[] {
  return searchPath.split(delimiter).filter((folder) => {
    const fromRoot = relative(root, folder)
    return isAbsolute(folder) && (fromRoot.startsWith('..') || isAbsolute(fromRoot))
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const timedOut = (timeoutMs: number): AppError =>
  new AppError('timeout', `Cannot finish the git operation: over ${timeoutMs / 1000} s`, {
    hint: 'Ask for less at once, for example one path',
  })
