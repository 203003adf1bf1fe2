import { constants, lstatSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { Candidate, CommandRequest, CommandRunner } from '../ports/command-runner.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { Turns } from '../workspace/turns.ts'
import { GIVEN_VARIABLE, writeGiven } from './command-given.ts'
import { findPlace, refuseScratchFolders } from './command-place.ts'
import { runCommandProcess } from './command-process.ts'
import { commandPath, programObstacle } from './command-program.ts'
import { createReportFile } from './command-report.ts'
import { createHiddenPaths } from './hidden-paths.ts'
import { useOfGroup } from './process-use.ts'

export interface UnsandboxedRunnerOptions {
  readonly root: string
  readonly protectedPaths: ProtectedPaths
  /** A folder of our own, outside the repository. */
  readonly workFolder: string
  readonly searchPath: string
}

const AT_ONCE_MAX = 2
const PROCESSES_MAX = 512
const MEMORY_BYTES_MAX = 4 * 1024 ** 3
/** Large, and not what is judged: the copy has a link to the real one. */
const DEPENDENCIES = new Set(['node_modules', '.venv', 'venv', 'target', '.gradle', 'vendor'])

/**
 * Commands on a copy of the repository, with all the rights of this process: for systems without bubblewrap, where the
 * operator has said so. Time and output are limited; a process that leaves its group is not found again.
 */
export function createUnsandboxedRunner(options: UnsandboxedRunnerOptions): CommandRunner {
  const { root, workFolder, searchPath } = options
  const hiddenPaths = createHiddenPaths(root, options.protectedPaths)
  const turns = new Turns(AT_ONCE_MAX)
  const path = [...commandPath(root, []), ...searchPath.split(delimiter).filter((each) => each !== '')]

  async function runIn(work: string, request: CommandRequest, signal: AbortSignal | undefined) {
    const copy = join(work, 'repository')
    const hidden = new Set((await hiddenPaths()).map((each) => each.path))
    const { candidates, scratchFolders } = request
    refuseScratchFolders(root, scratchFolders, hidden)
    const changed = [...scratchFolders, ...candidates.map((each) => each.path)]
    await copyRepository(root, copy, hidden, changed)
    for (const folder of scratchFolders) {
      await rm(join(copy, folder), { recursive: true, force: true })
      await mkdir(join(copy, folder), { recursive: true })
    }
    for (const candidate of candidates) await replaceFile(copy, candidate)
    const given = join(work, 'given')
    if (request.given !== undefined) writeGiven(given, request.given)
    const home = join(work, 'home')
    await mkdir(home)
    const report = request.reportAs === undefined ? null : createReportFile(work, request.reportAs)
    const commandLine = report === null ? request.commandLine : report.fill(request.commandLine, report.file)
    const end = await runCommandProcess({
      program: '/bin/sh',
      args: ['-c', 'exec "$@" 2>&1', 'sh', ...commandLine],
      cwd: copy,
      env: {
        PATH: path.map((each) => each.replace(root, copy)).join(delimiter),
        HOME: home,
        TMPDIR: home,
        LANG: 'C.UTF-8',
        CI: '1',
        NO_COLOR: '1',
        ...(request.given === undefined ? {} : { [GIVEN_VARIABLE]: given }),
      },
      timeoutMs: request.timeoutMs,
      signal,
      processesMax: PROCESSES_MAX,
      memoryBytesMax: MEMORY_BYTES_MAX,
      use: (pid) => useOfGroup(pid, PROCESSES_MAX),
    })
    const hiddenTexts = [`${copy}/`, copy, `${work}/`, work, `${root}/`, root]
    const printed = { output: end.output.text(hiddenTexts), whole: end.output.whole(hiddenTexts) }
    const told = { ...printed, report: report?.read() ?? null, root: copy, durationMs: end.durationMs }
    if (end.stopped !== null) return { kind: 'stopped', ...told, ...end.stopped } as const
    // As a shell tells a signal.
    return { kind: 'ended', ...told, status: end.exitCode ?? 137 } as const
  }

  return {
    isSandboxed: false,
    obstacle: async ([program]) => programObstacle(program, root, path, ['/']),
    run: (request, signal) =>
      turns.run(async () => {
        const work = await mkdtemp(join(workFolder, 'command-'))
        try {
          return await runIn(work, request, signal)
        } catch (cause) {
          if (cause instanceof AppError) throw cause
          throw new AppError('unavailable', 'Cannot run a command: the repository could not be copied', {
            cause,
            hint: 'Try again; if it stays so, the disk of the worker may be full',
          })
        } finally {
          await rm(work, { recursive: true, force: true })
        }
      }, signal),
  }
}

/** `changed` are the paths at which the copy is to differ: no link leads from there into the repository. */
async function copyRepository(
  root: string,
  copy: string,
  hidden: ReadonlySet<string>,
  changed: readonly string[],
): Promise<void> {
  const dependencies: string[] = []
  await cp(root, copy, {
    recursive: true,
    // On file systems that can, the copy shares its blocks with the original.
    mode: constants.COPYFILE_FICLONE,
    verbatimSymlinks: true,
    filter(source) {
      const path = relative(root, source)
      if (hidden.has(path)) return false
      if (!DEPENDENCIES.has(basename(source)) || !lstatSync(source).isDirectory()) return true
      dependencies.push(path)
      return false
    },
  })
  for (const path of dependencies) await linkAround(root, copy, path, changed)
}

/** Links what is at a path, or, where something in it changes, makes a folder and links what lies beside that. */
async function linkAround(root: string, copy: string, path: string, changed: readonly string[]): Promise<void> {
  if (changed.includes(path)) return
  if (!changed.some((each) => each.startsWith(`${path}/`))) return symlink(join(root, path), join(copy, path))
  await mkdir(join(copy, path))
  for (const name of await readdir(join(root, path))) await linkAround(root, copy, `${path}/${name}`, changed)
}

async function replaceFile(copy: string, { path, text }: Candidate): Promise<void> {
  const place = findPlace(copy, path)
  // A link in the copy could lead back into the repository.
  if (place.kind === 'blocked')
    throw new AppError(
      'unavailable',
      `Cannot run a command: ${path} lies behind ${place.by}, which is a link or a file`,
    )
  await rm(join(copy, path), { force: true })
  await mkdir(dirname(join(copy, path)), { recursive: true })
  await writeFile(join(copy, path), text)
}
