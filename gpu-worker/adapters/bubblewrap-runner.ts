import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { CommandRequest, CommandRunner } from '../ports/command-runner.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { Turns } from '../workspace/turns.ts'
import { type Bubblewrap, isolation } from './bubblewrap-probe.ts'
import { systemView } from './bubblewrap-system.ts'
import { repositoryView } from './bubblewrap-view.ts'
import { createCommandCgroup } from './command-cgroup.ts'
import { GIVEN_VARIABLE, writeGiven } from './command-given.ts'
import { type CommandProcessEnd, runCommandProcess } from './command-process.ts'
import { commandPath, programObstacle } from './command-program.ts'
import { createReportFile } from './command-report.ts'
import { createHiddenPaths } from './hidden-paths.ts'
import { useOfNamespace } from './process-use.ts'
import { noToolFolders, type ToolFolders } from './tool-folders.ts'

export interface BubblewrapRunnerOptions {
  readonly bubblewrap: Bubblewrap
  /** The repository, absolute, links resolved. */
  readonly root: string
  readonly protectedPaths: ProtectedPaths
  /** A folder of our own, outside the repository, for what is shown in place of the repository's files. */
  readonly workFolder: string
  /** Folders that the operator shows to commands beside the system's programs: a Python or Node of their own. */
  readonly folders: readonly string[]
  /** What the operator's own search path leads to; nothing where left out. */
  readonly tools?: ToolFolders
  /** Folders that no command may see, wherever they lie. */
  readonly hiddenFolders: readonly string[]
  /** Of all processes of a command together; half of the machine's, and at most 4 GiB, where left out. */
  readonly memoryBytesMax?: number
}

/** Commands at once. More of them share the same cores with the model, and each may take the memory of one. */
const AT_ONCE_MAX = 2
/** More than a test runner with a process per core starts. */
const PROCESSES_MAX = 512
/** Threads count here; on Linux 5.14 and newer those of this command alone. Root's are counted by a control group. */
const TASKS_MAX = 2048
const OPEN_FILES_MAX = 1024
const FILE_KIBIBYTES_MAX = 256 * 1024
const MEMORY_BYTES_MAX = Math.min(4 * 1024 ** 3, Math.floor(totalmem() / 2))
const GIVEN_FOLDER = '/tmp/given'
/** Where a command finds the file for its report. The only thing outside memory that it can write to. */
const REPORT_PLACE = '/tmp/.millwright-report'
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

// Limits of each process, set inside: dash and busybox call the number of tasks -p, bash -u. If memory runs out all the
// same, the kernel is to end a command and not the worker.
const limits = (memoryBytesMax: number, timeoutMs: number): string =>
  [
    'ulimit -c 0',
    `ulimit -n ${OPEN_FILES_MAX}`,
    `ulimit -f ${FILE_KIBIBYTES_MAX * 2}`,
    `ulimit -d ${Math.floor(memoryBytesMax / 1024)}`,
    `ulimit -p ${TASKS_MAX} 2>/dev/null || ulimit -u ${TASKS_MAX}`,
    '{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null',
    // The worker ends it sooner. This is for one that is killed in the instant in which it starts the sandbox, before the
    // sandbox has asked the kernel to end with it.
    `exec timeout -s KILL ${Math.ceil(timeoutMs / 1000) + 5} nice -n 10 "$@" 2>&1`,
  ].join('; ')

/** A repository that others write to changes between two looks; one that never holds still is told. */
const ATTEMPTS_MAX = 5

/**
 * Commands in bubblewrap: no network, no other process in sight, the repository read-only with the candidates in their places,
 * nothing of what callers may not read, and limits on time, output, processes and memory.
 */
export function createBubblewrapRunner(options: BubblewrapRunnerOptions): CommandRunner {
  const { bubblewrap, root, hiddenFolders, workFolder, memoryBytesMax = MEMORY_BYTES_MAX } = options
  const { tools = noToolFolders } = options
  const searched = [...options.folders, ...tools.programs]
  const folders = [...searched, ...tools.others]
  const hiddenPaths = createHiddenPaths(root, options.protectedPaths, hiddenFolders)
  const turns = new Turns(AT_ONCE_MAX)
  const searchPath = [...commandPath(root, searched.map(withBin)), ...SYSTEM_PATH]
  const shown = [root, ...folders, '/usr', '/bin', '/sbin', '/nix/store', '/gnu/store', '/run/current-system/sw']
  const env = {
    PATH: searchPath.join(delimiter),
    HOME: '/tmp/home',
    TMPDIR: '/tmp',
    XDG_CACHE_HOME: '/tmp/cache',
    LANG: 'C.UTF-8',
    CI: '1',
    NO_COLOR: '1',
    // The repository is read-only: tools that keep a cache in it complain.
    PYTHONDONTWRITEBYTECODE: '1',
    RUFF_CACHE_DIR: '/tmp/cache/ruff',
    MYPY_CACHE_DIR: '/tmp/cache/mypy',
    CARGO_TARGET_DIR: '/tmp/cache/target',
    CARGO_NET_OFFLINE: 'true',
    GOTOOLCHAIN: 'local',
    GOPROXY: 'off',
    COVERAGE_FILE: '/tmp/cache/coverage',
    ...tools.environment,
  }

  async function runIn(work: string, request: CommandRequest, signal: AbortSignal | undefined) {
    const { given, shownFolders = [] } = request
    if (given !== undefined) writeGiven(join(work, 'given'), given)
    const view = repositoryView({ ...request, root, hidden: await hiddenPaths(), work })
    const report = request.reportAs === undefined ? null : createReportFile(work, request.reportAs)
    const commandLine = report === null ? request.commandLine : report.fill(request.commandLine, REPORT_PLACE)
    const args = [
      ...isolation(bubblewrap.canDisableNamespaces),
      ...systemView(work, [...folders, ...shownFolders], tools.masked),
      ...(given === undefined ? [] : ['--ro-bind', join(work, 'given'), GIVEN_FOLDER]),
      ...view,
      ...(report === null ? [] : ['--bind', report.file, REPORT_PLACE]),
      // Whatever was shown above, these are not.
      ...hiddenFolders
        .filter((each) => isShown(each, [...shown, ...shownFolders]) && existsSync(each))
        .flatMap((each) => ['--tmpfs', each, '--remount-ro', each]),
      ...['--remount-ro', '/', '--chdir', root, '--json-status-fd', '3', '--'],
      ...['/bin/sh', '-c', limits(memoryBytesMax, request.timeoutMs), 'sh', ...commandLine],
    ]
    const cgroup = createCommandCgroup(TASKS_MAX)
    const [program = '', ...rest] = [...(cgroup?.enter ?? []), bubblewrap.binary, ...args]
    const end = await runCommandProcess({
      program,
      args: rest,
      cwd: '/',
      env: given === undefined ? env : { ...env, [GIVEN_VARIABLE]: GIVEN_FOLDER },
      timeoutMs: request.timeoutMs,
      signal,
      processesMax: PROCESSES_MAX,
      memoryBytesMax,
      use: (_pid, status) => {
        const namespace = /"pid-namespace"\s*:\s*(\d+)/.exec(status)?.[1]
        return namespace === undefined ? null : useOfNamespace(Number(namespace), PROCESSES_MAX)
      },
    }).finally(() => cgroup?.remove())
    return { ...toOutcome(end, [`${root}/`, root]), report: report?.read() ?? null, root }
  }

  async function runOnce(request: CommandRequest, signal: AbortSignal | undefined) {
    const work = mkdtempSync(join(workFolder, 'command-'))
    try {
      return await runIn(work, request, signal)
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      // The repository changes while it is looked at, or cannot be read.
      throw new AppError('unavailable', 'Cannot run a command: the repository could not be shown to it', {
        cause,
        hint: 'Try again; if it stays so, the disk of the worker may be full',
      })
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  }

  return {
    isSandboxed: true,
    obstacle: async ([program]) => programObstacle(program, root, searchPath, shown),
    run: (request, signal) =>
      turns.run(async () => {
        for (let attempt = 1; ; attempt++) {
          try {
            return await runOnce(request, signal)
          } catch (error) {
            if (attempt === ATTEMPTS_MAX || signal?.aborted === true || !mayPass(error)) throw error
          }
        }
      }, signal),
  }
}

/** The command has not begun: what was there when the repository was surveyed, a file half written say, was gone a moment later. */
const mayPass = (error: unknown): boolean => error instanceof AppError && error.code === 'unavailable'

function toOutcome({ exitCode, output, status, stopped, durationMs }: CommandProcessEnd, hidden: readonly string[]) {
  const printed = { output: output.text(hidden), whole: output.whole(hidden), durationMs }
  if (stopped !== null) return { kind: 'stopped', ...printed, ...stopped } as const
  // bwrap tells the exit status of a command that it has started, and nothing where it could not.
  const told = /"exit-code"\s*:\s*(\d+)/.exec(status)?.[1]
  if (told !== undefined) return { kind: 'ended', ...printed, status: Number(told) } as const
  throw new AppError(
    'unavailable',
    `Cannot run a command: the sandbox ended with ${exitCode ?? 'a signal'}: ${printed.output}`,
    {
      hint: 'Try again; if it stays so, tell the person who runs the worker',
    },
  )
}

/** A folder of an installation holds its programs in `bin`; one that holds them itself may be named as well. */
const withBin = (folder: string): string => (folder.endsWith('/bin') ? folder : join(folder, 'bin'))

function isShown(folder: string, shown: readonly string[]): boolean {
  return shown.some((each) => {
    const from = relative(each, folder)
    return !from.startsWith('..') && !isAbsolute(from)
  })
}

/** Folders that the operator named: absolute, there, and holding neither the repository nor what must stay hidden. */
export function parseCommandFolders(
  folders: readonly string[],
  root: string,
  hiddenFolders: readonly string[],
): string[] {
  return folders.map((folder) => {
    const refuse = (reason: string): never => {
      throw new AppError('invalid_input', `Cannot start the worker: MILLWRIGHT_COMMAND_FOLDERS: ${folder}: ${reason}`)
    }
    if (!isAbsolute(folder)) return refuse('must be an absolute path')
    let real = ''
    try {
      real = realpathSync(folder)
    } catch {
      return refuse('there is no such folder')
    }
    if ([root, ...hiddenFolders].some((each) => isShown(each, [real]))) {
      return refuse("it holds the repository or Millwright's own data")
    }
    return real === dirname(real) ? refuse('it is the whole disk') : real
  })
}
